"""Changed histories: what each way keeps, and which targets stay true, against a loop over positions."""

from types import SimpleNamespace

import numpy as np
import pytest

from lit_rec.data.augmentation.behavior_augmentation import (
    AugmentedHistory,
    AugmentedSequences,
    BehaviorAugmentation,
    drawn_places,
)
from lit_rec.data.augmentation.crop_behaviors import CropBehaviors
from lit_rec.data.augmentation.mask_behaviors import MaskBehaviors
from lit_rec.data.augmentation.reorder_behaviors import ReorderBehaviors
from lit_rec.data.history.sequences import SequenceRows
from lit_rec.data.history.windows import HistoryRows

WAYS = [CropBehaviors, MaskBehaviors, ReorderBehaviors]
LENGTHS = np.array([1, 2, 3, 7, 10, 10])


def places(part, length=LENGTHS, seed=0):
    found = part.places(length, 10, np.random.default_rng(seed))
    assert found.shape == (len(length), 10)
    real = found >= 0
    assert (real == (np.arange(10) < real.sum(1)[:, None])).all(), "padding is on the right"
    kept = [row[ok].tolist() for row, ok in zip(found, real, strict=True)]
    for row, n in zip(kept, length, strict=True):
        assert row
        assert len({*row}) == len(row)
        assert {*row} <= {*range(n)}
    return kept


@pytest.mark.parametrize("seed", range(5))
def test_what_each_way_keeps(seed):
    for row, n in zip(places(CropBehaviors(keep=0.5), seed=seed), LENGTHS, strict=True):
        assert row == list(range(row[0], row[0] + max(1, n // 2)))
    for row, n in zip(places(MaskBehaviors(share=0.3), seed=seed), LENGTHS, strict=True):
        assert row == sorted(row)
        assert len(row) == n - int(0.3 * n)
    for row, n in zip(places(ReorderBehaviors(share=0.5), seed=seed), LENGTHS, strict=True):
        assert sorted(row) == list(range(n))
        moved = [slot for slot, old in enumerate(row) if slot != old]
        assert not moved or moved[-1] - moved[0] < n // 2
    assert [len(row) for row in places(MaskBehaviors(share=1.0), seed=seed)] == [1] * 6


@pytest.mark.parametrize("way", WAYS)
def test_every_place_is_drawn(way):
    """None is left out for ever: each first slot, and each number of the order, comes about equally often."""
    rows = np.array(places(way(), np.full(4000, 10)), dtype=object)
    first = np.bincount([row[0] for row in rows], minlength=10)
    if way is CropBehaviors:
        assert (first[:5] > 700).all()
        assert not first[5:].any()
    elif way is MaskBehaviors:
        kept = np.bincount(np.concatenate([*rows]).astype(int))
        assert (np.abs(kept / 4000 - 0.7) < 0.04).all()
    else:
        moved = np.mean([[slot != old for slot, old in enumerate(row)] for row in rows], 0)
        assert (moved > 0.1).all()
        assert moved[4:6].min() > 0.75


def test_a_history_is_changed_in_one_way_or_none():
    mask = np.arange(10) < np.full(6000, 8)[:, None]
    parts = [CropBehaviors(rate=0.25), ReorderBehaviors(rate=0.5)]
    found = drawn_places(parts, mask, np.random.default_rng(3))
    assert found.shape[1] == 8
    cropped = (found >= 0).sum(1) == 4
    same = (found == np.arange(8)).all(1)
    assert abs(cropped.mean() - 0.25) < 0.02
    # the shuffle of four leaves one of 24 orders as it was
    assert abs(same.mean() - (0.25 + 0.5 / 24)) < 0.02
    assert (found[~cropped] >= 0).all()


def histories(lengths, width=6):
    mask = np.arange(width) < np.array(lengths)[:, None]
    source = np.where(mask, 100 + np.arange(mask.size).reshape(mask.shape), -1)
    return HistoryRows(source, np.where(mask, source % 50, 0), mask)


class _Rows:
    def of(self, rows, rng=None):
        return histories([0, 3, 6])


def test_evaluation_sees_histories_as_they_are():
    rows = np.arange(3)
    bound = AugmentedHistory(_Rows(), [MaskBehaviors(rate=1.0, share=0.5)])
    real = histories([0, 3, 6])
    for name in ("source", "item", "mask"):
        assert (getattr(bound.of(rows), name) == getattr(real, name)).all()
    found = bound.of(rows, np.random.default_rng(0))
    assert found.mask.sum(1).tolist() == [0, 2, 3]
    assert (found.item[found.mask] == found.source[found.mask] % 50).all()
    assert (found.source[~found.mask] == -1).all()
    with pytest.raises(ValueError, match="no order"):
        bound.seen(rows)


class _Given(BehaviorAugmentation):
    def __init__(self, place):
        super().__init__(1.0)
        self.place = place

    def places(self, length, width, rng):
        return np.array([[*self.place, *[-1] * (width - len(self.place))]])


def targets(place, known, length=6):
    """Position -> target, where the item at position p (after slot p - 1) is 10 + p."""
    history = histories([length])
    found = SequenceRows(history, np.where([known], 10 + np.arange(7), 0), np.array([known]))
    given = SimpleNamespace(ends=None, follows=True, of=lambda rows, rng=None: found)
    rows = AugmentedSequences(given, [_Given(place)]).of(np.arange(1), np.random.default_rng(0))
    assert not rows.target[~rows.known].any()
    assert rows.known.shape[1] == rows.history.mask.shape[1] + 1
    return {int(p): int(rows.target[0, p]) for p in np.flatnonzero(rows.known[0])}


def by_loop(place, known, length):
    """The newest slot seen so far names the target, until a newer slot is seen."""
    found = {0: 10} if known[0] else {}
    for position in range(1, len(place) + 1):
        newest = max(place[:position])
        until = max(place[: position + 1]) if position < len(place) else length
        after = [p for p in range(newest + 1, until + 1) if known[p]]
        if after:
            found[position] = 10 + after[0]
    return found


@pytest.mark.parametrize("seed", range(30))
def test_targets_are_what_came_next(seed):
    rng = np.random.default_rng(seed)
    length = int(rng.integers(1, 7))
    known = [bool(p <= length and rng.random() < 0.8) for p in range(7)]
    for way in (*WAYS, None):
        if way is None:
            place = rng.permutation(length)[: rng.integers(1, length + 1)].tolist()
        else:
            row = way(keep=0.5) if way is CropBehaviors else way(share=0.5)
            place = [p for p in row.places(np.array([length]), 6, rng)[0].tolist() if p >= 0]
        found = targets(place, known, length)
        assert found == by_loop(place, known, length)
        for position, target in found.items():
            # never an item that the position has seen: slot s is the target of position s
            assert position == 0 or target - 10 > max(place[:position])


def test_targets_of_a_sequence_by_hand():
    every = [False, *[True] * 6]
    assert targets([0, 1, 2, 3, 4, 5], every) == {p: 10 + p for p in range(1, 7)}
    assert targets([0, 2, 5], every) == {1: 11, 2: 13, 3: 16}
    assert targets([2, 3], every) == {1: 13, 2: 14}
    # 3 and 4 have changed places: only the position with both of them predicts 5
    assert targets([0, 1, 2, 4, 3, 5], every) == {1: 11, 2: 12, 3: 13, 5: 15, 6: 16}
    only_last = [False] * 6 + [True]  # histories that the data gives: the row's own item
    assert targets([1, 2], only_last) == {2: 16}
