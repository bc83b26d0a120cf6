"""BehaviorAugmentation: another order of a training history's slots, some of them left out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.augmentation.augmentation import Augmentation
from lit_rec.data.history.rule import BoundHistory, BoundOrderedHistory
from lit_rec.data.history.sequences import BoundSequences, SequenceRows
from lit_rec.data.history.windows import HistoryRows


class BehaviorAugmentation(Augmentation):
    """A way to change histories in training steps, drawn again in each step. Targets stay as they are.

    Args:
        rate: Share of a training step's histories that are changed.

    Raises:
        ConfigError: If ``rate`` is not above 0 and up to 1.

    Example:
        >>> class NewestFirst(BehaviorAugmentation):
        ...     def places(self, length, width, rng):
        ...         place = length[:, None] - 1 - np.arange(width)
        ...         return np.maximum(place, -1)
        >>> NewestFirst().places(np.array([3, 1]), 3, np.random.default_rng(0)).tolist()
        [[2, 1, 0], [0, -1, -1]]
    """

    changes = "histories"

    @abstractmethod
    def places(self, length: Int64s, width: int, rng: np.random.Generator) -> Int64s:
        """Return which slots histories have after the change, in their new order.

        Args:
            length: ``[B]``, how many slots each has, 1 or more.
            width: H, the largest of these or more.
            rng: Random generator of the step.

        Returns:
            ``[B, H]``: places from 0 (the oldest) to the length, each once at most, and -1 in padding, which is on the
            right. Each history keeps a slot or more.
        """


class AugmentedHistory(BoundOrderedHistory):
    """A rule whose training histories are changed.

    Args:
        history: The rule, bound to a data set.
        parts: Ways to change them: each history is changed by one of them, or by none.
    """

    def __init__(self, history: BoundHistory, parts: Sequence[BehaviorAugmentation]) -> None:
        self._history, self._parts = history, parts

    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> HistoryRows:
        """Return the histories of ``rows``; those of evaluation, without ``rng``, are never changed."""
        found = self._history.of(rows, rng)
        return found if rng is None else _taken(found, drawn_places(self._parts, found.mask, rng))

    def seen(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        """Return all items before ``rows``, which nothing changes.

        Raises:
            ValueError: If the rule has no order.
        """
        if not isinstance(self._history, BoundOrderedHistory):
            raise ValueError("the histories have no order")
        return self._history.seen(rows)


class AugmentedSequences(BoundSequences):
    """Training sequences whose slots are changed.

    A position predicts the item that came next after the newest slot before it. Where a slot between was left out, its
    item is predicted. Where slots have changed places, only the position that has all of them predicts what came after
    them: the others have seen what they would predict.

    Args:
        sequences: The sequences of a data set.
        parts: Ways to change them: each sequence is changed by one of them, or by none.
    """

    def __init__(self, sequences: BoundSequences, parts: Sequence[BehaviorAugmentation]) -> None:
        self._sequences, self._parts = sequences, parts
        self.ends, self.follows = sequences.ends, sequences.follows

    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> SequenceRows:
        """Return the windows that end with ``rows``."""
        found = self._sequences.of(rows, rng)
        if rng is None:
            return found
        place = drawn_places(self._parts, found.history.mask, rng)
        position = _positions(found, place)
        known = position >= 0
        target = np.take_along_axis(found.target, np.maximum(position, 0), 1)
        return SequenceRows(_taken(found.history, place), np.where(known, target, 0), known)


def drawn_places(
    parts: Sequence[BehaviorAugmentation], mask: Bools, rng: np.random.Generator
) -> Int64s:
    """Return the slots of each history after the change that was drawn for it ``[B, H']``, -1 in padding.

    Args:
        parts: Ways to change histories.
        mask: ``[B, H]``, real slots, to the left.
        rng: Random generator.
    """
    length, width = mask.sum(1), mask.shape[1]
    place = np.where(mask, np.arange(width), -1)
    ends = np.cumsum([part.rate for part in parts])
    drawn = np.searchsorted(ends, rng.random(len(mask)), side="right")
    for number, part in enumerate(parts):
        rows = np.flatnonzero((drawn == number) & (length > 0))
        place[rows] = part.places(length[rows], width, rng)
    return place[:, : max(int((place >= 0).sum(1).max(initial=0)), 1)]


def _taken(history: HistoryRows, place: Int64s) -> HistoryRows:
    mask, index = place >= 0, np.maximum(place, 0)
    source = np.where(mask, np.take_along_axis(history.source, index, 1), -1)
    return HistoryRows(source, np.where(mask, np.take_along_axis(history.item, index, 1), 0), mask)


def _positions(found: SequenceRows, place: Int64s) -> Int64s:
    """Return for each new position the old one whose target it has ``[B, H' + 1]``, -1 where it has none."""
    old, rows = found.known.shape[1], len(place)
    # the first position from here on that has a target; ``old`` where there is none
    at = np.where(found.known, np.arange(old), old)
    at = np.minimum.accumulate(at[:, ::-1], 1)[:, ::-1]
    at = np.concatenate([at, np.full((rows, 1), old)], 1)
    newest = np.maximum.accumulate(place, 1)  # seen so far
    # up to where the next slot is; the last position goes on to the end
    last = found.history.mask.sum(1, keepdims=True)
    beyond = np.concatenate([place[:, 1:], np.full((rows, 1), -1)], 1) < 0
    until = np.where(beyond, last, np.concatenate([newest[:, 1:], last], 1))
    position = np.take_along_axis(at, newest + 1, 1)
    position = np.where((place >= 0) & (position <= until), position, -1)
    first = np.where(found.known[:, :1], 0, -1)
    return np.concatenate([first, position], 1)
