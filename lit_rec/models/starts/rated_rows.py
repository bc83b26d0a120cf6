"""RatedRows: the training rows that a start is fitted on, in stretches of one user each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools, Float64s, Int64s

_LONGEST = 1000  # a user's rows in one stretch: bounds the time, which grows with the third power


@dataclass(frozen=True)
class RatedRows:
    """R training rows with ratings, those of a user side by side and oldest first.

    Args:
        user: ``[R]`` codes.
        item: ``[R]`` rows of the vocabulary, from 1.
        rating: ``[R]``.
        seconds: ``[R]``, NaN where unknown.
        row: ``[R]`` rows of ``Prepared``.
        past: ``[R]``, how many of its user's first rows are strictly earlier; None: a row sees all other rows of its
            user, later ones as well.
    """

    user: Int64s
    item: Int64s
    rating: Float64s
    seconds: Float64s
    row: Int64s
    past: Int64s | None = None

    def of_users(self, mask: Bools) -> tuple[Int64s, Int64s, Float64s]:
        """Return user, item and rating of the rows whose user is in ``mask`` ``[U]``."""
        kept = mask[self.user]
        return self.user[kept], self.item[kept], self.rating[kept]

    def stretches(self) -> tuple[Int64s, Int64s]:
        """Return begin and length of stretches of one user's rows, at most a thousand each.

        Example:
            >>> user, zeros = np.array([4, 4, 7]), np.zeros(3)
            >>> rows = RatedRows(user, np.ones(3, np.int64), zeros, zeros, np.arange(3))
            >>> begin, length = rows.stretches()
            >>> begin.tolist(), length.tolist()
            ([0, 2], [2, 1])
        """
        place = np.arange(len(self.user))
        first = np.flatnonzero(np.diff(self.user, prepend=-1))
        since = place - np.repeat(first, np.diff(np.append(first, len(place))))
        begin = np.flatnonzero(since % _LONGEST == 0)
        return begin, np.diff(np.append(begin, len(place)))


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
