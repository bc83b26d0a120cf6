"""The arrays that metrics, baselines and reports work on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools, Float64s, Int64s


@dataclass(frozen=True)
class RatingRows:
    """Behaviors with ratings as arrays.

    Shape:
        user, item: ``[R]`` int64 codes. rating: ``[R]`` float64, NaN where there is none.

    Example:
        >>> rows = RatingRows(user=np.array([0, 1]), item=np.array([5, 5]), rating=np.array([4.0, np.nan]))
        >>> rows.rated().user.tolist()
        [0]
    """

    user: Int64s
    item: Int64s
    rating: Float64s

    def rated(self) -> RatingRows:
        """Return the rows that have a rating."""
        return self.where(~np.isnan(self.rating))

    def where(self, mask: Bools) -> RatingRows:
        """Return the rows where ``mask`` ``[R]`` is True."""
        return RatingRows(self.user[mask], self.item[mask], self.rating[mask])


@dataclass(frozen=True)
class LabelRows:
    """Behaviors with labels as arrays.

    Shape:
        user, item: ``[R]`` int64 codes. label: ``[R]`` int64 places among K labels, -1 where there is none.

    Example:
        >>> LabelRows(user=np.array([0, 1]), item=np.array([5, 5]), label=np.array([1, -1])).labelled().user.tolist()
        [0]
    """

    user: Int64s
    item: Int64s
    label: Int64s

    def labelled(self) -> LabelRows:
        """Return the rows that have a label."""
        return self.where(self.label >= 0)

    def where(self, rows: Bools | Int64s) -> LabelRows:
        """Return some rows: a mask ``[R]``, or their places."""
        return LabelRows(self.user[rows], self.item[rows], self.label[rows])


@dataclass(frozen=True)
class SharedHistory:
    """The items of R rows' histories; rows that were shown together share one.

    Shape:
        offsets: ``[L + 1]`` int64. item: ``[S]`` int64 codes, L lists end to end. of_row: ``[R]`` int64, the list of
            each row.

    Example:
        >>> history = SharedHistory(offsets=np.array([0, 2, 3]), item=np.array([7, 8, 9]), of_row=np.array([0, 0, 1]))
        >>> [history.item[history.offsets[at] : history.offsets[at + 1]].tolist() for at in history.of_row]
        [[7, 8], [7, 8], [9]]
    """

    offsets: Int64s
    item: Int64s
    of_row: Int64s


@dataclass(frozen=True)
class RaggedHistory:
    """The histories of R rows, end to end.

    Shape:
        offsets: ``[R + 1]`` int64. item: ``[S]`` int64 codes. rating: ``[S]`` float64, NaN where there is none. age:
            ``[S]`` float64, seconds before the row, below 0 after it, NaN where unknown; None: all are unknown.

    Example:
        >>> rating = np.array([5.0, np.nan, 1.0])
        >>> history = RaggedHistory(offsets=np.array([0, 2, 2, 3]), item=np.array([7, 8, 9]), rating=rating)
        >>> history.row.tolist(), history.rated().offsets.tolist()  # the second row has none
        ([0, 0, 2], [0, 1, 1, 2])
    """

    offsets: Int64s
    item: Int64s
    rating: Float64s
    age: Float64s | None = None

    @property
    def row(self) -> Int64s:
        """Which row each of the S entries belongs to, ``[S]``."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def rated(self) -> RaggedHistory:
        """Return the entries that have a rating."""
        mask = ~np.isnan(self.rating)
        counts = np.bincount(self.row[mask], minlength=len(self.offsets) - 1)
        return RaggedHistory(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            self.item[mask],
            self.rating[mask],
            None if self.age is None else self.age[mask],
        )


@dataclass(frozen=True)
class RatingTrial:
    """Training rows with ratings, parted in two: options are chosen by how the rest predicts those held out.

    A held-out row has the history that the model sees of it, as an evaluated row has.

    Shape:
        rest: the other rows. held: N rows. history: of the N rows.

    Example:
        >>> rows = RatingRows(user=np.array([0, 0, 1]), item=np.array([0, 1, 0]), rating=np.array([5.0, 3.0, 4.0]))
        >>> held = np.array([False, True, False])
        >>> seen = RaggedHistory(np.array([0, 1]), item=np.array([0]), rating=np.array([5.0]))
        >>> trial = RatingTrial(rows.where(~held), rows.where(held), seen)
        >>> len(trial.rest.rating), len(trial.held.rating)
        (2, 1)
    """

    rest: RatingRows
    held: RatingRows
    history: RaggedHistory
