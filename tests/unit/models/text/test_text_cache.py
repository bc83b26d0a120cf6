"""Cached vectors are those that would be computed, and only where nothing of them is trained."""

from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import Texts
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.text_cache import CachedTexts
from lit_rec.models.text.tuning import FrozenTuning, FullTuning


@pytest.fixture
def make(facts, tiny_bert):
    def made(tuning=None, **options):
        torch.manual_seed(0)

        def backbone(facts):
            return ConfiguredBackbone(facts, "bert", tiny_bert, tuning or FrozenTuning())

        options = {"width": 8, "ids": IdEmbedding, **options}
        return ItemEncoder(facts, backbone, **options).train()

    return made


@pytest.fixture
def passes(monkeypatch):
    """How many texts passed an encoder."""
    counted = []
    forward = ConfiguredBackbone.forward

    def count(self, chunk, **given):
        counted.append(len(chunk.mask))
        return forward(self, chunk, **given)

    monkeypatch.setattr(ConfiguredBackbone, "forward", count)
    return counted


def of_store(batch, numbers, name="store"):
    return replace(batch, texts=replace(batch.texts, number=numbers, store=name))


def test_kept_vectors_are_those_computed_anew(make, make_batch, passes):
    batch = make_batch()
    encoder = make(ids=lambda size, width: IdEmbedding(size, width, dropout=0.0))
    plain = encoder(batch.texts, batch.items)
    plain.sum().backward()
    wanted = encoder.fields.weight.grad.clone()
    encoder.zero_grad()
    passes.clear()
    cached = of_store(batch, torch.tensor([8, 3, 5, 1, 0, 2, 4, 7, 6]))
    for _ in range(2):
        found = encoder(cached.texts, cached.items)
        torch.testing.assert_close(found, plain)
    found.sum().backward()
    torch.testing.assert_close(encoder.fields.weight.grad, wanted)
    assert sum(passes) == 9


def test_what_is_new_is_computed_and_nothing_else(make, make_batch, passes):
    batch, encoder = (
        make_batch(),
        make(ids=lambda size, width: IdEmbedding(size, width, dropout=0.0)),
    )
    every = of_store(batch, torch.arange(9))
    some = replace(every, texts=every.texts.where(torch.arange(9) % 2 == 0))
    items = replace(batch.items, text_index=torch.arange(6)[:, None] % 5)
    items = replace(items, text_index=items.text_index.expand(-1, 2))
    wanted = encoder(replace(some.texts, number=None), items)
    passes.clear()
    torch.testing.assert_close(encoder(some.texts, items), wanted)
    encoder(every.texts, every.items)
    assert sum(passes) == 5 + 4
    encoder(replace(every.texts, store="another"), every.items)
    assert sum(passes) == 5 + 4 + 9


def test_other_weights_forget(make, make_batch):
    batch, one = of_store(make_batch(), torch.arange(9)), make()
    before = one.eval()(batch.texts, batch.items)
    torch.manual_seed(7)
    weights = {
        name: weight + 0.3 * torch.randn_like(weight)
        for name, weight in one.state_dict().items()
        if weight.is_floating_point()
    }
    one.load_state_dict(weights, strict=False)
    after = one(batch.texts, batch.items)
    assert not torch.allclose(after, before)
    torch.testing.assert_close(one(replace(batch.texts, number=None), batch.items), after)


@pytest.mark.parametrize(
    "options", [{"tuning": FullTuning()}, {"max_kept_texts": 8}, {"max_kept_texts": 0}]
)
def test_what_is_trained_or_too_much_is_not_kept(make, make_batch, passes, options):
    batch, encoder = of_store(make_batch(), torch.arange(9)), make(**options)
    for _ in range(2):
        encoder(batch.texts, batch.items)
    assert sum(passes) == 18


def test_texts_of_nowhere():
    texts = Texts(torch.tensor([1]), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="without a store"):
        CachedTexts(4).vectors(texts, lambda part: torch.zeros(len(part), 4))


def test_processes_that_share_the_encoder_keep_nothing(make, make_batch, passes):
    """One would wait for ever for another that has all its texts already: they call the encoder equally often."""
    batch, encoder = of_store(make_batch(), torch.arange(9)), make()
    encoder.share(lambda calls: calls)
    for times in (1, 2):
        encoder(batch.texts, batch.items)
        assert sum(passes) == times * 9
