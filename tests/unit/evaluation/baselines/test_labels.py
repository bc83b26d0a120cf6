"""Baselines of labels, by hand and against loops that follow their definitions."""

import math

import numpy as np
import pytest

from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines.labels import (
    SHRINKAGES,
    ItemLabelFrequencyBaseline,
    MajorityBaseline,
    PopularityBaseline,
)
from lit_rec.evaluation.baselines.ratings import tenth


def nothing(rows):
    """Empty histories of ``rows`` rows."""
    none = np.empty(0, np.int64)
    return SharedHistory(np.zeros(2, np.int64), none, np.zeros(rows, np.int64))


def rows_of(item, label):
    """Training rows; who they are of plays no part."""
    return LabelRows(np.zeros(len(item), np.int64), np.array(item), np.array(label))


def predicted(baseline, train, item, items, labels):
    baseline.fit(train, items, labels)
    return baseline.predict(np.array(item), nothing(len(item)))


# item 0 has the labels 0, 0, 1, item 1 the label 2, item 2 none, item 3 no row
TRAIN = rows_of([0, 0, 0, 1, 2], [0, 0, 1, 2, -1])


def test_majority_is_the_frequency_of_each_label():
    found = predicted(MajorityBaseline(), TRAIN, [0, 3], 4, 3)
    assert found.tolist() == [[0.5, 0.25, 0.25]] * 2


def test_item_frequencies_by_hand():
    """Fewer than ten rows leave the first shrinkage, 3: three rows of 1/2, 1/4, 1/4 beside the item's own."""
    baseline = ItemLabelFrequencyBaseline()
    found = predicted(baseline, TRAIN, [0, 1, 2, 3, 0], 4, 3)
    assert baseline.shrinkage == 3.0
    assert found[0] == pytest.approx([(2 + 1.5) / 6, (1 + 0.75) / 6, 0.75 / 6])
    assert found[1] == pytest.approx([1.5 / 4, 0.75 / 4, (1 + 0.75) / 4])
    assert found[2] == pytest.approx([0.5, 0.25, 0.25])  # a row without a label teaches nothing
    assert found[3] == pytest.approx([0.5, 0.25, 0.25])
    assert (found[4] == found[0]).all()


def loop_loss(item, label, held, shrinkage):
    """Log loss of the held rows by item frequencies of the others."""
    rest = [(i, k) for i, k, h in zip(item, label, held, strict=True) if not h]
    overall = [sum(k == of for _, k in rest) / len(rest) for of in (0, 1)]
    total = 0.0
    for i, k, h in zip(item, label, held, strict=True):
        if h:
            own = [of for j, of in rest if j == i]
            share = (own.count(k) + shrinkage * overall[k]) / (len(own) + shrinkage)
            total -= math.log(share)
    return total


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.4])
def test_shrinkage_is_the_best_on_a_tenth_of_the_rows(spread):
    """Strong where items do not differ, weak where they do."""
    chance = np.random.default_rng(1)
    item = np.repeat(np.arange(40), 30)
    quality = 0.5 + spread * chance.choice([-1, 1], 40)
    label = (chance.random(1200) < quality[item]).astype(np.int64)
    baseline = ItemLabelFrequencyBaseline()
    baseline.fit(rows_of(item, label), 40, 2)
    held = tenth(1200)
    losses = {s: loop_loss(item.tolist(), label.tolist(), held, s) for s in SHRINKAGES}
    assert baseline.shrinkage == min(losses, key=losses.get)
    assert (baseline.shrinkage >= 100) == (spread == 0.0)
    assert (baseline.shrinkage <= 5) == (spread == 0.4)


def test_popularity_counts_the_positive_rows():
    train = rows_of([0, 0, 0, 1, 1, 2, 2], [1, 1, 0, 1, -1, 0, 0])
    found = predicted(PopularityBaseline(), train, [0, 1, 2, 3, 0], 4, 2)
    assert found.tolist() == [2, 1, 0, 0, 2]


@pytest.mark.parametrize("make", [MajorityBaseline, ItemLabelFrequencyBaseline])
def test_probabilities_add_up_to_one(make):
    chance = np.random.default_rng(0)
    train = rows_of(chance.integers(0, 9, 80), chance.integers(-1, 4, 80))
    found = predicted(make(), train, np.arange(12), 12, 4)
    assert found.shape == (12, 4)
    assert found.sum(1) == pytest.approx(np.ones(12))
    assert (found > 0).all()


@pytest.mark.parametrize("make", [MajorityBaseline, ItemLabelFrequencyBaseline, PopularityBaseline])
def test_no_row_is_predicted_as_none(make):
    assert len(predicted(make(), TRAIN, np.empty(0, np.int64), 4, 3)) == 0
