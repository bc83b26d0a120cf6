"""NearestItems: in place of a history, the training items whose texts are nearest to those of a row's item."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.history.rule import BoundHistory
from lit_rec.data.history.windows import HistoryRows
from lit_rec.data.prepared import Prepared


class NearestItems(BoundHistory):
    """The same items for each row of an item.

    Args:
        prepared: The rows.
        nearest: ``[I, K]`` item codes for each item, the nearest one last; -1 in places before the first.

    Example:
        >>> from types import SimpleNamespace
        >>> prepared = SimpleNamespace(item=np.array([2, 0]))  # what it reads of Prepared
        >>> nearest = np.array([[-1, 1], [-1, 0], [0, 1]])
        >>> NearestItems(prepared, nearest).of(np.arange(2)).item.tolist()
        [[0, 1], [1, 0]]
    """

    def __init__(self, prepared: Prepared, nearest: Int64s) -> None:
        self._prepared, self._nearest = prepared, nearest

    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> HistoryRows:
        """Return the items of ``rows``; nothing is random here."""
        found = self._nearest[np.asarray(self._prepared.item[rows], np.int64)]  # [B, K]
        order = np.argsort(found < 0, axis=1, kind="stable")  # real slots to the left
        item = np.take_along_axis(found, order, 1)
        mask = item >= 0
        return HistoryRows(np.full(mask.shape, -1, np.int64), np.where(mask, item, 0), mask)
