"""Training sequences: a user's behaviors in order, as windows; every position has the next item as target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.history.windows import HistoryRows, window
from lit_rec.data.prepared import Ints, Prepared


@dataclass(frozen=True)
class SequenceRows:
    """Some windows: histories, and the next item at each position: before the first slot, and after each slot.

    Shape:
        history: B histories of up to H slots.
        target: ``[B, H + 1]`` int64 item codes (0 where nothing is predicted).
        known: ``[B, H + 1]`` bool; True at the first place only where the user had no earlier behavior.
    """

    history: HistoryRows
    target: Int64s
    known: Bools


class BoundSequences(ABC):
    """The training sequences of one data set.

    Attributes:
        ends: ``[W]`` int64 rows of ``Prepared``: the newest row of each window. A sampler names the window by it.
        follows: Whether any predicted row follows another: first rows alone teach no order.
    """

    ends: Int64s
    follows: bool

    @abstractmethod
    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> SequenceRows:
        """Return the windows that end with ``rows`` ``[B]``, rows of ``ends``.

        Args:
            rows: Rows of ``Prepared``.
            rng: Random generator of a training step; None: nothing is drawn.
        """


class PastSequences(BoundSequences):
    """One sequence per user: the training rows that count, in order.

    A sequence longer than H + 1 is cut into windows of H places, counted from its newest target, so that each target is
    asked for once. The user's first row is the target before all slots, like the prediction for a user without a
    history. The slots up to a position are the history that PastHistory gives the next row. Where the next row is not
    strictly later (of the same second, or of the same impression), it is no target.

    Args:
        prepared: The behaviors.
        counts: ``[R]`` bool, the training rows that count.
        max_length: H, most slots of a window.
        targets: ``[R]`` bool, those that are predicted; None: all that count.
    """

    def __init__(
        self, prepared: Prepared, counts: Bools, max_length: int, targets: Bools | None = None
    ) -> None:
        self._prepared, self._max_length = prepared, max_length
        self._places = np.flatnonzero(counts)
        user = prepared.user[self._places]
        place = np.arange(len(self._places))
        first = np.searchsorted(self._places, prepared.offsets[user])
        self._target = np.ones(len(place), bool) if targets is None else targets[self._places]
        # whether the row is predicted, and its own history ends with the place before it
        self._later = self._target.copy()
        self._later[:1] = False
        self._later[1:] &= prepared.past_end[self._places[1:]] > self._places[:-1]
        until = np.concatenate([[0], np.cumsum(self._later & (place > first))])
        self.follows = bool(until[-1])
        end = self._window_ends(first, user)
        low = np.maximum(first[end], end - max_length)
        # the oldest window of a sequence also predicts the sequence's first row
        begins = (low == first[end]) & self._target[low]
        self.ends = self._places[end[(until[end + 1] > until[low + 1]) | begins]]

    def _window_ends(self, first: Int64s, user: Ints) -> Int64s:
        """Return the places where windows end, from the newest target of each user back, until all are in a window."""
        place = np.arange(len(first))
        newest = np.maximum.accumulate(np.where(self._target, place, -1))
        last = np.flatnonzero(np.diff(user, append=-1))
        end, begin = newest[last], first[last]
        found = [np.empty(0, np.int64)]
        while len(end := end[there := end >= begin]):
            found.append(end)
            begin, before = begin[there], end - self._max_length
            more = before > begin  # the first place is in a window that begins there
            end, begin = newest[before[more]], begin[more]
        return np.sort(np.concatenate(found))

    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> SequenceRows:
        """Return the windows; nothing is random here."""
        prepared, places = self._prepared, self._places
        end = np.searchsorted(places, rows)
        first = np.searchsorted(places, prepared.offsets[prepared.user[rows]])
        low = np.maximum(first, end - self._max_length)
        history = window(prepared, places, low, end)
        place = low[:, None] + np.arange(history.mask.shape[1] + 1)
        inside = place <= end[:, None]
        place = np.where(inside, place, 0)
        known = inside & self._later[place]
        known[:, 0] = (low == first) & self._target[low]
        return SequenceRows(history, np.where(known, prepared.item[places[place]], 0), known)


class RowSequences(BoundSequences):
    """One sequence per training row: its given history; the only target is the row's item, after the last slot.

    The lists of a user overlap, so targets at other positions would count an item several times.

    Args:
        prepared: The behaviors.
        history_of: Returns the histories that the data gives for rows.
        targets: ``[R]`` bool, the rows that are predicted.
    """

    def __init__(
        self, prepared: Prepared, history_of: Callable[[Int64s], HistoryRows], targets: Bools
    ) -> None:
        self._prepared, self._history_of = prepared, history_of
        self.ends = prepared.rows_of("train")
        self.ends = self.ends[targets[self.ends]]
        of_row = prepared.given_index[self.ends]
        length = prepared.given_offsets[of_row + 1] - prepared.given_offsets[of_row]
        self.follows = bool((length > 0).any())

    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> SequenceRows:
        """Return the windows; nothing is random here."""
        history = self._history_of(rows)
        known = np.zeros((len(rows), history.mask.shape[1] + 1), bool)
        known[np.arange(len(rows)), history.mask.sum(1)] = True
        own = np.asarray(self._prepared.item[rows], np.int64)[:, None]
        return SequenceRows(history, np.where(known, own, 0), known)
