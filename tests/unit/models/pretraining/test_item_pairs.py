"""ItemPairs against a loop over rows and candidates."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.pretraining.item_pairs import ItemPairs
from lit_rec.models.text.backbone import ConfiguredBackbone

_OPTIONS = {"vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
_OPTIONS["intermediate_size"] = 8
_SHARES = (0.1, 0.2, 0.3, 0.05, 0.35)
_TEMPERATURE = 0.2


@pytest.fixture
def parts(batch: RecBatch) -> tuple[ItemPairs, ItemEncoder]:
    torch.manual_seed(0)
    known = int(batch.items.vocab_row.max())
    shares = [_SHARES[place % len(_SHARES)] for place in range(known)]
    facts = Facts.example(
        "pretraining",
        special=SpecialTokens((1,), (2,), 0, mask=3),
        fields=("title", "genres"),
        item_ids=tuple(str(place) for place in range(known)),
        item_log_frequency=tuple(math.log(share) for share in shares),
    )
    backbone = partial(ConfiguredBackbone, model_type="bert", options=_OPTIONS)
    encoder = ItemEncoder(facts, backbone=backbone, width=4).eval()
    return ItemPairs(facts, _TEMPERATURE).eval(), encoder


def _by_loop(pairs: ItemPairs, encoder: ItemEncoder, batch: RecBatch) -> list[float]:
    texts = encoder.encode_texts(batch.texts)
    unit = torch.nn.functional.normalize(texts, dim=1)
    vector = [unit[row].sum(0) for row in batch.items.text_index]
    rows = []
    for row in range(len(batch)):
        held = batch.history.item_index[row][batch.history.mask[row]].tolist()
        own = int(batch.candidates.item_index[row, 0])
        if held and held[-1] != own:
            rows.append((row, held, own))
    losses = [0.0] * len(batch)
    compared = {own for *_, own in rows}
    for row, held, own in rows:
        weights = {}
        for item in compared - (set(held) - {own}):
            cosine = torch.cosine_similarity(vector[held[-1]], vector[item], dim=0).item()
            weights[item] = math.exp(cosine / _TEMPERATURE)
            if pairs.log_frequency is not None:
                share = math.exp(pairs.log_frequency[batch.items.vocab_row[item]])
                weights[item] /= 1 - (1 - share) ** len(rows)
        losses[row] = -math.log(weights[own] / sum(weights.values())) * len(batch) / len(rows)
    return losses


def test_the_loss_of_each_row(parts: tuple[ItemPairs, ItemEncoder], batch: RecBatch) -> None:
    found = parts[0](parts[1], batch)
    expected = _by_loop(*parts, batch)
    assert sum(loss > 0 for loss in expected) > len(batch) / 2
    assert 0.0 in expected  # a row without a history
    assert found.tolist() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_without_frequencies_all_items_are_equally_frequent(
    parts: tuple[ItemPairs, ItemEncoder], batch: RecBatch
) -> None:
    plain = ItemPairs(Facts.example("pretraining"), _TEMPERATURE).eval()
    found = plain(parts[1], batch)
    assert found.tolist() == pytest.approx(_by_loop(plain, parts[1], batch), rel=1e-4, abs=1e-6)
    assert found.tolist() != pytest.approx(parts[0](parts[1], batch).tolist(), rel=1e-2)


def test_an_item_that_training_never_saw_is_as_rare_as_the_rarest(
    parts: tuple[ItemPairs, ItemEncoder],
) -> None:
    assert parts[0].log_frequency is not None
    assert parts[0].log_frequency[0] == pytest.approx(math.log(min(_SHARES)))


def test_training_draws_from_the_whole_history(
    parts: tuple[ItemPairs, ItemEncoder], batch: RecBatch
) -> None:
    pairs = parts[0].train()
    drawn: list[set[int]] = [set() for _ in range(len(batch))]
    for _ in range(200):
        for row, item in enumerate(pairs._before(batch).tolist()):
            drawn[row].add(item)
    for row, items in enumerate(drawn):
        held = set(batch.history.item_index[row][batch.history.mask[row]].tolist())
        assert items == (held or {-1})


def test_rows_without_an_earlier_item_have_a_gradient_of_zeros(
    parts: tuple[ItemPairs, ItemEncoder], batch: RecBatch
) -> None:
    pairs, encoder = parts
    empty = replace(batch.history, mask=torch.zeros_like(batch.history.mask))
    losses = pairs(encoder, replace(batch, history=empty))
    assert losses.tolist() == [0.0] * len(batch)
    losses.sum().backward()
    moved: list[Any] = [p.grad for p in encoder.backbone.parameters() if p.grad is not None]
    assert moved
    assert all(not gradient.any() for gradient in moved)
