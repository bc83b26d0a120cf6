"""Biases against a loop, and against the user bias of a UserEncoder."""

import math
from dataclasses import replace

import pytest
import torch

from lit_rec.errors import ConfigError
from lit_rec.models.networks.rating_biases import RatingBiases

BIAS = (0.5, -0.5, 0.25, 0.0, -1.0, 1.0)


def test_biases_equal_a_loop(facts, batch):
    found, beyond = RatingBiases(replace(facts, item_bias=BIAS), shrinkage=2.0).eval()(batch)
    known = [0.0, *BIAS]
    of_item = [known[row] for row in batch.items.vocab_row.tolist()]
    for row in range(len(batch)):
        over = {}
        for slot in range(int(batch.history.mask[row].sum())):
            rating = float(batch.history.rating[row, slot])
            if not math.isnan(rating):
                over[slot] = rating - 3.5 - of_item[batch.history.item_index[row, slot]]
        user = sum(over.values()) / (len(over) + 2.0)
        expected = [user + of_item[item] for item in batch.candidates.item_index[row].tolist()]
        assert found[row].tolist() == pytest.approx(expected, abs=1e-6)
        levels = [over[slot] - user if slot in over else 0.0 for slot in range(beyond.shape[1])]
        assert beyond[row].tolist() == pytest.approx(levels, abs=1e-6)  # a quarter of 1 to 5 is 1
    assert found[0].tolist() == [of_item[i] for i in batch.candidates.item_index[0].tolist()]


def test_an_item_unseen_in_training_has_no_bias(facts, batch):
    bias, _ = RatingBiases(replace(facts, item_bias=BIAS)).eval()(batch)
    unseen = batch.candidates.item_index[0] == 5
    batch.items.vocab_row[:] = 0
    without, _ = RatingBiases(replace(facts, item_bias=BIAS)).eval()(batch)
    assert without[0].tolist() == [0.0, 0.0, 0.0]
    assert bias[0][unseen].eq(0).all()


def test_while_training_some_items_are_as_if_unseen(facts, batch):
    biases = RatingBiases(replace(facts, item_bias=BIAS), dropout=1.0)
    found, _ = biases.train()(batch)
    assert found[0].tolist() == [0.0, 0.0, 0.0]
    half = RatingBiases(replace(facts, item_bias=(1.0,) * 6), dropout=0.5).train()
    batch.items.vocab_row[:] = 1
    drawn = torch.stack([half(batch)[0][0] for _ in range(300)])
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert 0.4 < drawn.mean() < 0.6


def test_without_item_biases_and_with_options_out_of_range(facts, batch):
    found, _ = RatingBiases(facts).eval()(batch)
    assert found[0].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ConfigError, match=r"RatingBiases\.dropout: 1\.5"):
        RatingBiases(facts, dropout=1.5)
    with pytest.raises(ConfigError, match=r"shrinkage: 0"):
        RatingBiases(facts, shrinkage=0)
