"""What begins from the training data: centred text vectors, item biases."""

from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.ids import IdEmbedding, NoIds
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import ConfiguredBackbone


def test_calibrated_vectors_are_centred_and_of_norm_four(make_network, batch):
    encoder = make_network().train().item_encoder
    encoder.calibrate(batch.texts, batch.items)
    assert encoder.training
    encoder.eval()
    with torch.no_grad():
        vectors = encoder.encode_texts(batch.texts)
    for field in range(2):
        of_field = vectors[batch.items.text_index[:, field]]
        of_field = (of_field - encoder.fields.centre[field]) / encoder.fields.spread[field]
        torch.testing.assert_close(
            of_field.mean(0), torch.zeros(encoder.backbone.width), atol=1e-5, rtol=0
        )
        assert float(of_field.square().sum(1).mean()) == pytest.approx(16, rel=1e-4)


def test_biases_of_the_ratings_hold_until_the_id_is_dropped():
    ids = IdEmbedding(2, 3, dropout=1.0)
    ids.start_at(torch.tensor([0.0, 0.5, -0.25]))
    rows = torch.tensor([0, 1, 2])
    assert ids.eval()(rows)[:, -1].tolist() == [0.0, 0.5, -0.25]
    assert ids.train()(rows).abs().sum() == 0
    NoIds(2, 3).start_at(torch.tensor([0.0, 0.5, -0.25]))


def test_facts_give_the_biases(make_network, facts):
    biased = replace(facts, item_bias=tuple(0.1 * i for i, _ in enumerate(facts.item_ids)))
    start = make_network(facts=biased).item_encoder.ids.start
    assert start[:, 0].tolist() == pytest.approx([0.0, *biased.item_bias])


def items_of(count, fields=1):
    """Items that training never saw, each with the text of its own number in every field."""
    rows = torch.arange(count)
    return Items(rows.unsqueeze(1).expand(-1, fields), rows, torch.zeros(count).long())


@pytest.mark.parametrize("copies", [1, 30])
def test_texts_that_do_not_differ_are_centred_and_not_stretched(make_network, batch, copies):
    """One text repeated leaves only rounding between vectors; divided by it, another text would be a million long."""
    encoder = make_network(max_tokens_per_chunk=50).item_encoder
    pieces = torch.tensor([5, 6, 7]).int().repeat(copies)
    encoder.calibrate(Texts(pieces, torch.arange(copies + 1) * 3), items_of(copies, fields=2))
    assert encoder.fields.spread.tolist() == [1.0, 1.0]
    alone = encoder.encode_texts(Texts(pieces[:3], torch.tensor([0, 3])))
    torch.testing.assert_close(encoder.fields.centre, alone.expand(2, -1), atol=1e-5, rtol=0)
    vectors = encoder(batch.texts, batch.items).detach()
    assert float(vectors.norm(dim=1).max()) < 100


def test_no_text_leaves_vectors_as_they_are(make_network):
    encoder = make_network().item_encoder
    encoder.calibrate(Texts(torch.empty(0).int(), torch.zeros(1).long()), items_of(0, fields=2))
    assert encoder.fields.spread.tolist() == [1.0, 1.0]
    assert not encoder.fields.centre.any()


@pytest.fixture
def bare_encoder(facts, tiny_bert):
    """An encoder whose tokenizer puts nothing around a text."""
    bare = replace(facts, special=SpecialTokens((), (), 0), fields=("title",))
    return ItemEncoder(bare, lambda facts: ConfiguredBackbone(facts, "bert", tiny_bert)).eval()


def test_text_without_token_is_the_mean_text_after_calibration(bare_encoder):
    texts = Texts(torch.tensor([5, 6, 7, 8]).int(), torch.tensor([0, 2, 2, 4]))
    bare_encoder.calibrate(texts, items_of(3))
    with_tokens = bare_encoder.encode_texts(texts)[[0, 2]]
    torch.testing.assert_close(bare_encoder.fields.centre[0], with_tokens.mean(0))
    vectors = bare_encoder(texts, items_of(3))
    assert torch.equal(vectors[1, :-1], bare_encoder.fields.bias[:-1])
    assert vectors[[0, 2], :-1].ne(bare_encoder.fields.bias[:-1]).any(1).all()
