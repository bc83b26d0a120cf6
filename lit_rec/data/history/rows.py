"""The histories of some rows, as windows over the behaviors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.prepared import Prepared


@dataclass(frozen=True)
class HistoryRows:
    """Histories of some rows, oldest first, real slots to the left.

    Shape:
        source: ``[B, H]`` int64 rows of ``Prepared`` (-1: none, as in padding and in histories given by the data).
        item: ``[B, H]`` int64 item codes (0 in padding). mask: ``[B, H]`` bool.
    """

    source: Int64s
    item: Int64s
    mask: Bools


def window(prepared: Prepared, places: Int64s, low: Int64s, high: Int64s) -> HistoryRows:
    """Take ``places[low:high]`` for each row; ``places`` are rows of ``Prepared``."""
    length = high - low
    step = np.arange(max(int(length.max(initial=0)), 1))
    mask = step < length[:, None]  # [B, H]
    index = np.where(mask, low[:, None] + step, 0)
    source = np.where(mask, places[index] if len(places) else 0, -1)
    return HistoryRows(source, np.where(mask, prepared.item[source].astype(np.int64), 0), mask)


def flat(low: Int64s, high: Int64s) -> tuple[Int64s, Int64s]:
    """Return the spans ``[low, high)`` end to end: which span each place is of, and the place.

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
    """Keep the chosen slots, the newest ``max_length`` of them, moved to the left in their order."""
    keep &= keep.sum(1, keepdims=True) - np.cumsum(keep, 1) < max_length
    width = max(int(keep.sum(1).max(initial=0)), 1)
    order = np.argsort(~keep, axis=1, kind="stable")[:, :width]
    mask = np.take_along_axis(keep, order, 1)
    return HistoryRows(
        np.where(mask, np.take_along_axis(full.source, order, 1), -1),
        np.where(mask, np.take_along_axis(full.item, order, 1), 0),
        mask,
    )
