"""Training sequences: what a user did in order, as windows in which every position is followed by what came next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lit_rec.data.history_rows import HistoryRows, window
from lit_rec.data.prepared import Prepared

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SequenceRows:
    """Some windows: histories, and what came after each of their slots.

    Shape:
        history: B histories of up to H slots. target: ``[B, H]`` int64 item codes (0 where none is asked for). known: ``[B, H]`` bool.
    """

    history: HistoryRows
    target: Int64s
    known: Bools


class BoundSequences(ABC):
    """The training sequences of one data set.

    Attributes:
        ends: ``[W]`` int64 rows of ``Prepared``, the newest of each window, by which a sampler names it.
    """

    ends: Int64s

    @abstractmethod
    def of(self, rows: Int64s) -> SequenceRows:
        """Return the windows that end with ``rows`` ``[B]``, rows of ``ends``."""


class PastSequences(BoundSequences):
    """One sequence per user: the training rows that count, in order.

    A sequence longer than H + 1 is cut into windows of H targets, counted from its newest row, so that each row but the user's first is a
    target once. What a slot sees, itself and the slots before it, is the history that PastHistory gives the row after it: where that
    row is not strictly later, as one of the same second or of the same impression, it is no target.

    Args:
        prepared: The behaviors.
        counts: ``[R]`` bool, the training rows that count.
        max_length: H, most slots of a window.
    """

    def __init__(self, prepared: Prepared, counts: Bools, max_length: int) -> None:
        self._prepared, self._max_length = prepared, max_length
        self._places = np.flatnonzero(counts)
        user = prepared.user[self._places]
        place = np.arange(len(self._places))
        first = np.searchsorted(self._places, prepared.offsets[user])
        last = np.searchsorted(self._places, prepared.offsets[user + 1]) - 1
        # whether the place before is all that the row's own history ends with
        self._later = np.zeros(len(place), bool)
        self._later[1:] = prepared.past_end[self._places[1:]] > self._places[:-1]
        low = np.maximum(first, place - max_length)
        until = np.concatenate([[0], np.cumsum(self._later & (place > first))])
        asks = until[place + 1] > until[low + 1]
        self.ends = self._places[((last - place) % max_length == 0) & (place > first) & asks]

    def of(self, rows: Int64s) -> SequenceRows:
        """Return the windows."""
        prepared, places = self._prepared, self._places
        end = np.searchsorted(places, rows)
        first = np.searchsorted(places, prepared.offsets[prepared.user[rows]])
        low = np.maximum(first, end - self._max_length)
        history = window(prepared, places, low, end)
        after = window(prepared, places, low + 1, end + 1)
        next_place = np.minimum(low[:, None] + 1 + np.arange(after.mask.shape[1]), len(places) - 1)
        known = after.mask & self._later[next_place]
        return SequenceRows(history, np.where(known, after.item, 0), known)


class RowSequences(BoundSequences):
    """One sequence per training row: the history that the data gives it, with the row's own item at the last slot alone.

    The lists of a user repeat one another, so other positions would count an item as often as it was listed. A row without a history
    is left out: there is no slot to ask at.

    Args:
        prepared: The behaviors.
        history_of: Gives the histories of rows, which the data brought.
    """

    def __init__(self, prepared: Prepared, history_of: Callable[[Int64s], HistoryRows]) -> None:
        self._prepared, self._history_of = prepared, history_of
        rows = prepared.rows_of("train")
        of_row = prepared.given_index[rows]
        self.ends = rows[prepared.given_offsets[of_row + 1] > prepared.given_offsets[of_row]]

    def of(self, rows: Int64s) -> SequenceRows:
        """Return the windows."""
        history = self._history_of(rows)
        known = np.zeros(history.mask.shape, bool)
        known[np.arange(len(rows)), history.mask.sum(1) - 1] = history.mask.any(1)
        own = np.asarray(self._prepared.item[rows], np.int64)[:, None]
        return SequenceRows(history, np.where(known, own, 0), known)
