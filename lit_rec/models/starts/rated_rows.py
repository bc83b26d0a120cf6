"""RatedRows: the training rows that a start is fitted on, in stretches of one user each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools, Float64s, Int64s

_LONGEST = 1000  # a user's rows in one stretch: bounds the time, which grows with the third power


@dataclass(frozen=True)
class RatedRows:
    """R training rows with ratings, those of a user side by side; those that histories keep longest come first.

    Args:
        user: ``[R]`` codes.
        item: ``[R]`` rows of the vocabulary, from 1.
        rating: ``[R]``.
        seconds: ``[R]``, NaN where unknown.
        row: ``[R]`` rows of ``Prepared``.
        past: ``[R]``, how many of its user's first rows are strictly earlier; None: a row sees others of its user,
            later ones as well.
        others: How many other rows of its user a row sees at most, where ``past`` is None: the first ones.
        counts: ``[R]``, whether a row may be seen; None: all may.
    """

    user: Int64s
    item: Int64s
    rating: Float64s
    seconds: Float64s
    row: Int64s
    past: Int64s | None = None
    others: int = _LONGEST
    counts: Bools | None = None

    def of_users(self, mask: Bools) -> tuple[Int64s, Int64s, Float64s]:
        """Return user, item and rating of the rows whose user is in ``mask`` ``[U]``."""
        kept = mask[self.user]
        return self.user[kept], self.item[kept], self.rating[kept]

    def stretches(self, longest: int = _LONGEST) -> Stretches:
        """Return stretches of one user's rows that are each predicted once, by other rows of the stretch.

        Where a row sees others of all times, a stretch is a thousand rows, cut to ``longest``. Where it sees the past,
        stretches overlap: all but a user's first begin with as many rows as a history holds, so that a row is predicted
        by that many earlier ones and at most a quarter more.

        Args:
            longest: Most rows of a stretch.

        Example:
            >>> import dataclasses
            >>> user, zeros = np.array([4, 4, 4, 7]), np.zeros(4)
            >>> rows = RatedRows(user, np.ones(4, np.int64), zeros, zeros, np.arange(4))
            >>> found = rows.stretches()
            >>> found.begin.tolist(), found.length.tolist()
            ([0, 3], [3, 1])
            >>> found = dataclasses.replace(rows, past=np.array([0, 1, 2, 0]), others=1).stretches()
            >>> found.begin.tolist(), found.length.tolist(), found.context.tolist()  # the third row by the second alone
            ([0, 1, 3], [2, 2, 1], [0, 1, 0])
        """
        place = np.arange(len(self.user))
        first = np.flatnonzero(np.diff(self.user, prepend=-1))
        since = place - np.repeat(first, np.diff(np.append(first, len(place))))
        if self.past is None:
            begin = np.flatnonzero(since % _LONGEST == 0)
            length = np.minimum(np.diff(np.append(begin, len(place))), longest)
            return Stretches(begin, length, np.zeros_like(begin))
        seen = min(self.others, longest * 4 // 5)
        more = max(seen // 4, 1)
        asked = np.flatnonzero((since == 0) | ((since > seen) & ((since - seen) % more == 0)))
        context = np.where(since[asked] > 0, seen, 0)
        length = np.diff(np.append(asked, len(place))) + context
        return Stretches(asked - context, length, context)


@dataclass(frozen=True)
class Stretches:
    """S stretches of rows, of one user each.

    Shape:
        begin: ``[S]``. length: ``[S]``. context: ``[S]``, how many of its first rows are seen and not predicted.
    """

    begin: Int64s
    length: Int64s
    context: Int64s

    def take(self, which: Int64s) -> Stretches:
        """Return some of them."""
        return Stretches(self.begin[which], self.length[which], self.context[which])


def padded(begin: Int64s, length: Int64s) -> tuple[Int64s, Bools]:
    """Return the rows of some stretches ``[B, n]``, and a mask of the real ones.

    Example:
        >>> rows, mask = padded(np.array([0, 5]), np.array([2, 1]))
        >>> rows.tolist(), mask.tolist()
        ([[0, 1], [5, 5]], [[True, True], [True, False]])
    """
    place = np.arange(length.max(initial=1))
    mask = place < length[:, None]
    return np.where(mask, begin[:, None] + place, begin[:, None]), mask


def batches(length: Int64s, numbers: int = 4_000_000) -> Iterator[Int64s]:
    """Yield stretches of similar length, whose padded squares have at most that many numbers, or one stretch.

    Example:
        >>> [some.tolist() for some in batches(np.array([3, 1, 2]), numbers=8)]
        [[1, 2], [0]]
    """
    order = np.argsort(length, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * length[order[stop]] ** 2 <= numbers:
            stop += 1
        yield order[start:stop]
        start = stop
