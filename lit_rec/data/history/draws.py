"""Which of a user's rows stay in a history drawn for training: drawn for each row, or once for all rows of a batch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.history.rows import HistoryRows, window
from lit_rec.data.prepared import Prepared

_SPARE = 64  # rows looked at beyond twice those that hold enough on average


@dataclass(frozen=True)
class HistoryDraws:
    """Draw from the places ``[low, high)`` of each row, the newest or the oldest that are drawn, in their order.

    Args:
        prepared: The behaviors.
        places: Rows of ``prepared`` that count.
        keep: Probability that a row stays.
        enough: How many that stay are looked for.
        oldest: Look from the oldest on, in place of the newest.
    """

    prepared: Prepared
    places: Int64s
    keep: float
    enough: int
    oldest: bool

    def of_each(self, low: Int64s, high: Int64s, rng: np.random.Generator) -> HistoryRows:
        """Draw for each row by itself.

        Where each place stays with probability p, the steps from one that stays to the next are geometric: what is
        drawn costs as much as is kept, however many behaviors a user has.
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
        """Draw items once for all rows, of the catalogue's first ``items``: one that does not stay is in no history.

        Twice as many rows of a user are looked at as hold enough on average, and some more: that fewer stay has a
        chance of less than 1e-8.
        """
        far = math.ceil(2 * self.enough / self.keep) + _SPARE
        if self.oldest:
            high = np.minimum(high, low + far)
        else:
            low = np.maximum(low, high - far)
        full = window(self.prepared, self.places, low, high)
        stays = rng.random(items) < self.keep
        return HistoryRows(full.source, full.item, full.mask & stays[full.item])
