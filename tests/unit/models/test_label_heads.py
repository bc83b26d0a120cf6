from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.errors import ConfigError
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.value_heads import ClassificationHead, DotHead, LinearHead, RegressionHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.text.backbone import ConfiguredBackbone

USERS = torch.tensor([[1.0, 2.0, 0.25]])
ITEMS = torch.tensor([[1.0, 1.0, 0.5], [2.0, 0.0, -0.5]])


@pytest.fixture
def topics(facts):
    return replace(facts, task="label", labels=("a", "b", "c"), label_counts=(1, 2, 3))


@pytest.fixture
def one_row(make_batch):
    batch = make_batch(rows=1, items=2, candidates=2)
    batch.candidates.item_index.copy_(torch.tensor([[0, 1]]))
    return batch


def test_classification_head_begins_at_its_linear_layer(topics, one_row):
    head = ClassificationHead(topics, 2).eval()
    with torch.no_grad():
        head.linear.weight.copy_(torch.arange(12.0).view(3, 4))
        head.linear.bias.copy_(torch.tensor([0.0, 100.0, 200.0]))
    # [u, i] is [1, 2, 1, 1] beside item 0 and [1, 2, 2, 0] beside item 1
    scores = head(USERS, ITEMS, one_row)
    assert scores.tolist() == [[[7.0, 127.0, 247.0], [6.0, 126.0, 246.0]]]


def test_classification_head_adds_its_network(topics, one_row):
    head = ClassificationHead(topics, 2).eval()
    before = head(USERS, ITEMS, one_row)
    torch.nn.init.ones_(head.last.weight)
    beyond = head.features(USERS, ITEMS, one_row).sum(-1, keepdim=True)
    torch.testing.assert_close(head(USERS, ITEMS, one_row), before + beyond)


def test_linear_head_reads_the_item_alone(topics, facts, one_row):
    head = LinearHead(topics, 2).eval()
    with torch.no_grad():
        head.linear.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        head.linear.bias.zero_()
    assert head(USERS, ITEMS, one_row).tolist() == [[[1.0, 1.0, 2.0], [2.0, 0.0, 2.0]]]
    rating = LinearHead(facts, 2).eval()
    with torch.no_grad():
        rating.linear.weight.copy_(torch.tensor([[1.0, 0.5]]))
        rating.linear.bias.zero_()
    assert rating.gives == "scores"
    assert rating(USERS, ITEMS, one_row).tolist() == [[3.5 + 1.5, 3.5 + 2.0]]


def test_scores_of_two_labels_begin_at_their_log_odds(facts, one_row):
    clicks = replace(facts, task="label", labels=("no", "yes"), label_counts=(29, 9))
    nothing = torch.zeros(1, 3), torch.zeros(2, 3)
    scores = DotHead(clicks, 2)(*nothing, one_row)
    torch.testing.assert_close(torch.sigmoid(scores), torch.full((1, 2), 10 / 40))


def test_heads_of_ratings_refuse_labels(topics):
    with pytest.raises(ConfigError, match="predicts a rating, the data asks for a label"):
        RegressionHead(topics, 2)


def test_neighborhood_head_refuses_more_than_two_labels(topics):
    with pytest.raises(ConfigError, match="NeighborhoodHead, but the data has 3 labels"):
        NeighborhoodHead(topics, 2)


def test_classification_head_refuses_ratings(facts):
    with pytest.raises(ConfigError, match="predicts a label, the data asks for a rating"):
        ClassificationHead(facts, 2)


def test_text_classifier_reads_each_text_alone(topics, tiny_bert, make_batch):
    """A text's scores are those of the head on its own vector, whoever asks and whatever shares the batch."""
    torch.manual_seed(0)
    alone = replace(topics, fields=("text",))
    network = TextClassifier(
        alone,
        lambda facts: ItemEncoder(facts, lambda f: ConfiguredBackbone(f, "bert", tiny_bert)),
    ).eval()
    assert network.gives == "class_scores"
    batch = make_batch(rows=4, candidates=1, fields=1)
    scores = network(batch)
    assert scores.shape == (4, 1, 3)
    for row in range(4):
        item = batch.candidates.item_index[row]
        text = int(batch.items.text_index[item, 0])
        offsets = batch.texts.offsets[text : text + 2]
        tokens = batch.texts.tokens[offsets[0] : offsets[1]]
        one = Texts(tokens, offsets - offsets[0])
        items = Items(torch.tensor([[0]]), torch.tensor([0]), batch.items.vocab_row[item])
        vector = network.encode_items(one, items)[:, :-1]
        torch.testing.assert_close(scores[row], network.head.linear(vector), rtol=0, atol=1e-5)
