"""ItemEncoder above cached lower layers: the vectors and gradients of one that begins at the first layer."""

from dataclasses import replace

import pytest
import torch

from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.pooling import AttentionPooling, MeanPooling
from lit_rec.models.text.tuning import FrozenTuning, FullTuning, TopLayersTuning

SILENT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
# what may be cached: the states below the top layer, or those of a frozen encoder whose pooling is trained
CACHED = [(TopLayersTuning(1), MeanPooling), (FrozenTuning(), AttentionPooling)]


@pytest.fixture
def make(facts, tiny_bert):
    def made(tuning, pooling=MeanPooling, **options):
        torch.manual_seed(0)

        def backbone(facts):
            return ConfiguredBackbone(facts, "bert", tiny_bert | SILENT, tuning)

        return ItemEncoder(facts, backbone, pooling, width=8, **options).train()

    return made


@pytest.fixture
def texts(make_batch):
    """Nine texts of a store in no order; the last one is empty but for special tokens."""
    return replace(make_batch().texts, number=torch.tensor([8, 3, 5, 1, 0, 2, 4, 7, 6]), store="s")


def cache(encoder, texts):
    tokens = len(texts.tokens) + 2 * len(texts)
    first = torch.arange(9) < 4
    encoder.cache_states([texts.where(first), texts.where(~first)], tokens)


@pytest.mark.parametrize("share", [0.4, 1.0])
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize(("tuning", "pooling"), CACHED)
def test_vectors_and_gradients(make, make_batch, texts, tuning, pooling, recompute, share):
    encoder = make(
        tuning, pooling, recompute=recompute, max_tokens_per_chunk=20, gradient_share=share
    )
    batch, found = make_batch(), []
    for cached in (False, True):
        torch.manual_seed(1)  # the same texts are drawn
        if cached:
            cache(encoder, texts)
            assert encoder._cache.knows(texts)
        encoder.zero_grad()
        vectors = encoder(texts, batch.items)
        vectors.square().sum().backward()
        found.append([vectors, *(p.grad for p in encoder.parameters() if p.grad is not None)])
    assert len(found[0]) == len(found[1]) > 3
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_states_lie_flat_without_padding(make, texts):
    encoder = make(TopLayersTuning(1))
    cache(encoder, texts)
    rows = encoder._cache._stores["s"]._rows
    assert rows.shape == (len(texts.tokens) + 2 * 9 + 1, 16), "the last of them stands for padding"
    assert rows[-1].tolist() == [0.0] * 16
    assert rows[:-1].any(1).all()
    chunk = next(texts.chunks(1000, encoder.special))
    wanted = encoder.backbone.border_states(chunk) * chunk.mask.unsqueeze(-1)
    torch.testing.assert_close(encoder._cache.states(texts, chunk), wanted, rtol=1e-6, atol=1e-6)


def test_a_batch_with_another_text_begins_at_the_first_layer(make, texts):
    encoder = make(TopLayersTuning(1))
    plain = encoder.encode_texts(texts)
    cache(encoder, texts)
    with torch.no_grad():  # so that what is cached differs from what is not
        encoder._cache._stores["s"]._rows.mul_(2)
    assert not torch.allclose(encoder.encode_texts(texts), plain)
    others = replace(texts, number=texts.number + 1), replace(texts, store="another")
    for other in (*others, replace(texts, number=None, store=None)):
        assert torch.equal(encoder.encode_texts(other), plain)


def test_other_weights_forget(make, texts):
    encoder = make(TopLayersTuning(1))
    cache(encoder, texts)
    encoder.load_state_dict(encoder.state_dict())
    assert not encoder._cache.knows(texts)


@pytest.mark.parametrize(
    ("tuning", "pooling", "cached"),
    [
        *((*parts, 500_000) for parts in CACHED),
        (FrozenTuning(), MeanPooling, 0),
        (FullTuning(), MeanPooling, 0),
        (TopLayersTuning(2), MeanPooling, 0),
    ],
)
def test_how_many_tokens_are_kept(make, tuning, pooling, cached):
    """Of an encoder and a pooling that are both frozen, vectors of whole texts are cached instead."""
    encoder = make(tuning, pooling)
    assert encoder.tokens_to_cache == cached
    encoder.share(lambda calls: calls)
    assert encoder.tokens_to_cache == 0
    assert make(tuning, pooling, max_kept_tokens=0).tokens_to_cache == 0


def test_texts_of_no_store(make, texts):
    with pytest.raises(ValueError, match="without a store"):
        cache(make(TopLayersTuning(1)), replace(texts, number=None, store=None))
