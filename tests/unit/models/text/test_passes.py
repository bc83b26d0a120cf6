"""Gradients through some of the texts of a step, and words looked up once for all passes."""

import pytest
import torch

from lit_rec.data.batches.batch import Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.errors import ConfigError
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.distinct_words import DistinctWords
from lit_rec.models.text.passes import TextPasses
from lit_rec.models.text.pooling import MeanPooling
from lit_rec.models.text.tuning import FrozenTuning, TopLayersTuning

TEXTS = Texts(torch.tensor([5, 6, 7, 8, 9, 5, 5, 30]).int(), torch.tensor([0, 1, 3, 6, 8]))
SPECIAL = SpecialTokens((1,), (2,), 0)


@pytest.fixture
def backbone(facts, tiny_bert):
    torch.manual_seed(0)
    silent = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return ConfiguredBackbone(facts, "bert", tiny_bert | silent)


def learn(backbone, **options):
    """Return the vectors of the texts, and the gradients of the encoder and of what projects its vectors."""
    torch.manual_seed(1)
    projection = torch.randn(16, 3, requires_grad=True)
    backbone.zero_grad()
    passes = TextPasses(backbone, MeanPooling(16), SPECIAL, max_tokens=9, **options)
    vectors = passes.finished(TEXTS, lambda vectors, has_token: vectors @ projection, (3,))
    (vectors * torch.arange(12.0).view(4, 3)).sum().backward()
    weights = [weight for weight in backbone.parameters() if weight.requires_grad]
    return vectors.detach(), [weight.grad.clone() for weight in weights], projection.grad


def draws(monkeypatch, *orders):
    orders = iter(orders)
    monkeypatch.setattr(torch, "randperm", lambda n, **_: torch.tensor(next(orders)))


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("kind", ["one of four", "two of four"])
def test_mean_over_draws_is_the_gradient_of_all(backbone, monkeypatch, kind, recompute):
    orders = {
        "one of four": [[i, *({0, 1, 2, 3} - {i})] for i in range(4)],
        "two of four": [[0, 3, 1, 2], [1, 2, 0, 3]],
    }[kind]
    vectors, whole, of_projection = learn(backbone)
    draws(monkeypatch, *orders)
    share = {"one of four": 0.25, "two of four": 0.5}[kind]
    found = [learn(backbone, gradient_share=share, recompute=recompute) for _ in orders]
    for some, _, projected in found:
        torch.testing.assert_close(some, vectors)
        torch.testing.assert_close(projected, of_projection)
    means = [torch.stack(each).mean(0) for each in zip(*(one for _, one, _ in found), strict=True)]
    torch.testing.assert_close(means, whole, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found[0][1][0], whole[0])


def test_other_texts_leave_no_activations(backbone, monkeypatch):
    draws(monkeypatch, [2, 0, 1, 3])
    with_gradient = []

    def watch(module, given, found):
        with_gradient.append((len(found), found.requires_grad))

    backbone.register_forward_hook(watch)
    learn(backbone, gradient_share=0.25)
    assert sum(number for number, learns in with_gradient if learns) == 1
    assert sum(number for number, learns in with_gradient if not learns) == 3


def test_small_share_learns_from_one_text(backbone, monkeypatch):
    draws(monkeypatch, [3, 0, 1, 2])
    vectors, gradients, _ = learn(backbone, gradient_share=1e-6)
    assert gradients[0].any()
    torch.testing.assert_close(vectors, learn(backbone)[0])


def test_nothing_is_drawn_in_evaluation(facts, backbone, monkeypatch):
    encoder = ItemEncoder(facts, lambda facts: backbone, gradient_share=0.5)
    draws(monkeypatch)  # a draw would end the test
    encoder.eval()
    encoder.encode_texts(TEXTS)
    encoder.train()
    with torch.no_grad():
        encoder.encode_texts(TEXTS)


def test_no_texts(backbone):
    passes = TextPasses(backbone, MeanPooling(16), SPECIAL, max_tokens=9, gradient_share=0.5)
    none = Texts(torch.empty(0).int(), torch.tensor([0]))
    assert passes.finished(none, lambda vectors, has_token: vectors, (16,)).shape == (0, 16)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5, float("nan")])
def test_share_outside(facts, backbone, share):
    with pytest.raises(ConfigError, match=f"{share} cannot be used") as caught:
        ItemEncoder(facts, lambda facts: backbone, gradient_share=share)
    assert caught.value.where == "ItemEncoder.gradient_share"
    assert caught.value.rule == "a share above 0, up to 1"


def test_words_are_looked_up_once(backbone, monkeypatch):
    """Vectors and gradients are those of a lookup in each pass."""
    asked = []
    lookup = backbone.model.get_input_embeddings()
    lookup.register_forward_hook(lambda module, given, found: asked.append(given[0].shape))
    once = learn(backbone)
    # by torch's own forward, which hooks see too: one of distinct words, then one for each pass
    assert asked[0] == (9,), "0, 1, 2, 5, 6, 7, 8, 9 and 30"
    passes = len(asked) - 1
    assert passes > 1
    monkeypatch.setattr(type(backbone), "words", lambda self, ids: None)
    asked.clear()
    torch.testing.assert_close(once, learn(backbone))
    assert len(asked) == passes


@pytest.mark.parametrize("tuning", [FrozenTuning(), TopLayersTuning(1)])
def test_words_that_do_not_learn_are_not_looked_up(facts, tiny_bert, tuning):
    frozen = ConfiguredBackbone(facts, "bert", tiny_bert, tuning)
    assert frozen.words(torch.tensor([1, 2])) is None
    assert ConfiguredBackbone(facts, "bert", tiny_bert).words(torch.tensor([1, 2])) is not None
    with torch.no_grad():
        assert ConfiguredBackbone(facts, "bert", tiny_bert).words(torch.tensor([1])) is None


def test_lookup_is_itself_again(backbone):
    lookup = backbone.model.get_input_embeddings()
    words = DistinctWords(lookup, torch.tensor([3, 4]))
    with pytest.raises(KeyError), words.replaced():
        raise KeyError
    torch.testing.assert_close(lookup(torch.tensor([7])), lookup.weight[[7]])
