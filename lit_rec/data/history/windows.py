"""The histories of rows as windows over the behaviors: what a row may see, and which part of it is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.prepared import ALL_PARTS, Ints, Prepared

_SPARE = 64  # rows looked at beyond twice those that hold enough on average


@dataclass(frozen=True)
class HistoryRows:
    """Histories of some rows, oldest first, real slots to the left.

    Shape:
        source: ``[B, H]`` int64 rows of ``Prepared`` (-1 in padding, and in histories given by the data).
        item: ``[B, H]`` int64 item codes (0 in padding). mask: ``[B, H]`` bool.
    """

    source: Int64s
    item: Int64s
    mask: Bools


def window(prepared: Prepared, places: Int64s, low: Int64s, high: Int64s) -> HistoryRows:
    """Return the histories ``places[low:high]``, one for each row; ``places`` are rows of ``Prepared``."""
    length = high - low
    step = np.arange(max(int(length.max(initial=0)), 1))
    mask = step < length[:, None]  # [B, H]
    index = np.where(mask, low[:, None] + step, 0)
    source = np.where(mask, places[index] if len(places) else 0, -1)
    return HistoryRows(source, np.where(mask, prepared.item[source].astype(np.int64), 0), mask)


def flat(low: Int64s, high: Int64s) -> tuple[Int64s, Int64s]:
    """Return the spans ``[low, high)`` end to end: for each place, the number of its span, and the place.

    Example:
        >>> row, place = flat(np.array([4, 9, 0]), np.array([6, 9, 1]))
        >>> row.tolist(), place.tolist()
        ([0, 0, 2], [4, 5, 0])
    """
    length = high - low
    row = np.repeat(np.arange(len(low)), length)
    before = np.cumsum(length) - length
    return row, np.arange(len(row)) + np.repeat(low - before, length)


def newest(full: HistoryRows, keep: Bools, max_length: int) -> HistoryRows:
    """Return the newest ``max_length`` of the chosen slots, moved to the left in their order."""
    keep &= keep.sum(1, keepdims=True) - np.cumsum(keep, 1) < max_length
    width = max(int(keep.sum(1).max(initial=0)), 1)
    order = np.argsort(~keep, axis=1, kind="stable")[:, :width]
    mask = np.take_along_axis(keep, order, 1)
    return HistoryRows(
        np.where(mask, np.take_along_axis(full.source, order, 1), -1),
        np.where(mask, np.take_along_axis(full.item, order, 1), 0),
        mask,
    )


class SeenRows:
    """The rows that count in histories, listed once for each set of parts that rows may see.

    Args:
        prepared: The behaviors.
        counts: ``[R]`` bool, the rows that count at all.
        seen: For each of ``ALL_PARTS``, the parts that its rows see.

    Attributes:
        places: ``[S]`` int64 rows of ``Prepared``; the rows of a user are in their order.
    """

    def __init__(
        self, prepared: Prepared, counts: Bools, seen: Mapping[str, Sequence[str]]
    ) -> None:
        self._prepared = prepared
        there = [name for name in ALL_PARTS if len(prepared.rows_of(name))]
        # parts without rows are left out, so that no more sets are stored than the data needs
        sets = {asked: tuple(name for name in there if name in seen[asked]) for asked in there}
        distinct = list(dict.fromkeys(sets.values()))
        codes = [[ALL_PARTS.index(name) for name in names] for names in distinct]
        masks = [counts & np.isin(prepared.part, code) for code in codes]
        places = [np.flatnonzero(mask) for mask in masks]
        starts = np.cumsum([0, *map(len, places)])
        self.places: Int64s = np.concatenate([np.empty(0, np.int64), *places])
        ranks = [
            np.concatenate([[0], np.cumsum(mask)]) + start
            for mask, start in zip(masks, starts, strict=False)
        ]
        self._rank = {
            ALL_PARTS.index(asked): ranks[distinct.index(names)] for asked, names in sets.items()
        }

    def spans(self, rows: Int64s, end: Ints) -> tuple[Int64s, Int64s]:
        """Return begin and end, among ``places``, of what each row sees of its user before ``end``.

        Args:
            rows: ``[B]`` rows of ``Prepared``.
            end: ``[B]`` rows of the same users, or the ends of the users' rows.
        """
        start, part = self._prepared.offsets[self._prepared.user[rows]], self._prepared.part[rows]
        low, high = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        for code, rank in self._rank.items():
            here = part == code
            low[here] = rank[start[here]]
            high[here] = rank[end[here]]
        return low, high


@dataclass(frozen=True)
class HistoryDraws:
    """Draw from the places ``[low, high)`` of each row; return the newest (or oldest) drawn ones, in their order.

    Args:
        prepared: The behaviors.
        places: Rows of ``prepared`` that count.
        keep: Probability that a row is drawn.
        enough: How many drawn rows are needed.
        oldest: Return the oldest drawn rows instead of the newest.
    """

    prepared: Prepared
    places: Int64s
    keep: float
    enough: int
    oldest: bool

    def of_each(self, low: Int64s, high: Int64s, rng: np.random.Generator) -> HistoryRows:
        """Draw for each row separately.

        Where each place is drawn with probability p, the distances between drawn places are geometric. Drawing these
        costs no more for a user with many behaviors.
        """
        longest = int((high - low).max(initial=0))
        width = max(min(longest, self.enough), 1)
        steps = rng.geometric(self.keep, (len(low), width))
        far = np.cumsum(np.minimum(steps, longest + 1), 1)
        ends = low[:, None] - 1 + far, high[:, None] - far[:, ::-1]  # oldest first
        place = ends[0] if self.oldest else ends[1]
        mask = (place >= low[:, None]) & (place < high[:, None])
        places = self.places[np.where(mask, place, 0)] if longest else 0
        source = np.where(mask, places, -1)
        item = self.prepared.item[source].astype(np.int64)
        return HistoryRows(source, np.where(mask, item, 0), mask)

    def of_all(
        self, low: Int64s, high: Int64s, items: int, rng: np.random.Generator
    ) -> HistoryRows:
        """Draw items once for all rows, from the catalogue's first ``items``; other items are in no history.

        More than twice the rows that suffice on average are looked at: the probability that too few of them are drawn
        is below 1e-8.
        """
        far = math.ceil(2 * self.enough / self.keep) + _SPARE
        if self.oldest:
            high = np.minimum(high, low + far)
        else:
            low = np.maximum(low, high - far)
        full = window(self.prepared, self.places, low, high)
        stays = rng.random(items) < self.keep
        return HistoryRows(full.source, full.item, full.mask & stays[full.item])
