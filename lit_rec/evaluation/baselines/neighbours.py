"""Neighbourhoods of ratings: the user's residuals for similar items, whatever makes items similar."""

from __future__ import annotations

from abc import abstractmethod
from itertools import product
from typing import Any

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial
from lit_rec.evaluation.baselines.ratings import HistoryBiasBaseline

# to choose from; the first ones are used where there are too few rows to hold any out
_NEIGHBOURS = (20, 10, 40, 80, 160)
_POWERS = (1, 2, 4, 8)
_SHRINKAGES = (1.0, 0.003, 0.01, 0.03, 0.1, 0.3, 3.0)


class NeighboursBaseline(HistoryBiasBaseline):
    """Mean + biases + the user's residuals for similar items: ``sum_h w_h r_h / (sum_h w_h + c)``.

    The weight ``w_h`` of a rating in the row's history is its item's similarity to the row's item, to the power ``p``.
    The ``k`` most similar items with a similarity above 0 count; of equally similar ones, the older. ``r_h`` is the
    rating without mean and biases. So a user of whom training has no row is known as well as any other.

    Args:
        trial: ``p``, ``k`` and ``c`` are those by which its rest predicts its held-out rows best; None, or no rows
            held out: 1, 20 and 1.

    Reference:
        Sarwar et al. 2001, Item-based collaborative filtering, https://doi.org/10.1145/371920.372071. Koren 2010,
        Factor in the neighbors, https://doi.org/10.1145/1644873.1644874, section 2.2.

    Example:
        >>> class SameParity(NeighboursBaseline):
        ...     def similarity(self, item: Int64s, history: RaggedHistory) -> Float64s:
        ...         return (item[history.row] % 2 == history.item % 2).astype(float)
        >>> baseline = SameParity()
        >>> baseline.fit(RatingRows(np.array([0]), np.array([0]), np.array([3.0])), num_users=1, num_items=4)
        >>> seen = RaggedHistory(np.array([0, 2]), item=np.array([1, 2]), rating=np.array([5.0, 1.0]))
        >>> baseline.predict(np.array([0]), np.array([3]), seen).tolist()  # 3 + 2 / (1 + 1) by item 1 alone
        [4.0]
    """

    def __init__(self, trial: RatingTrial | None = None) -> None:
        super().__init__(trial)
        self.neighbours, self.power, self.shrinkage = _NEIGHBOURS[0], _POWERS[0], _SHRINKAGES[0]

    @abstractmethod
    def similarity(self, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return how similar each item of a history is to its row's item ``[S]``; at most 0: not at all.

        Args:
            item: ``[R]`` codes.
            history: Of the R rows; every entry has a rating.
        """

    def choose(self, trial: RatingTrial) -> None:
        """Choose the shrinkage of the user's bias, then the neighbourhood."""
        super().choose(trial)
        self.choose_neighbourhood(trial)

    def choose_neighbourhood(self, trial: RatingTrial) -> float:
        """Choose power, number of neighbours and shrinkage; return their sum of squared errors."""
        held, size = trial.held, len(trial.held.rating)
        left = held.rating - super().predict(held.user, held.item, trial.history)
        row, place, similarity, residual = self._nearest(held.item, trial.history)
        errors = {}
        for power, neighbours in product(_POWERS, _NEIGHBOURS):
            near = place < neighbours
            weight = similarity[near] ** power
            weights = np.bincount(row[near], weight, minlength=size)
            total = np.bincount(row[near], weight * residual[near], minlength=size)
            for shrinkage in _SHRINKAGES:
                error = float(np.sum((left - total / (weights + shrinkage)) ** 2))
                errors[power, neighbours, shrinkage] = error
        best = min(errors, key=errors.__getitem__)
        self.power, self.neighbours, self.shrinkage = best
        return errors[best]

    def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return the ratings."""
        row, place, similarity, residual = self._nearest(item, history)
        near = place < self.neighbours
        weight = similarity[near] ** self.power
        weights = np.bincount(row[near], weight, minlength=len(user))
        total = np.bincount(row[near], weight * residual[near], minlength=len(user))
        return super().predict(user, item, history) + total / (weights + self.shrinkage)

    def chosen(self) -> dict[str, Any]:
        """Return the shrinkages of the biases, and the neighbourhood."""
        own = {"neighbours": self.neighbours, "power": self.power, "shrinkage": self.shrinkage}
        return super().chosen() | own

    def _nearest(
        self, item: Int64s, history: RaggedHistory
    ) -> tuple[Int64s, Int64s, Float64s, Float64s]:
        """Return the similar entries of each history, the most similar first: row, place, similarity and residual."""
        bias, rated = self.history_bias(history), history.rated()
        similarity = self.similarity(item, rated)
        similar = np.flatnonzero(similarity > 0)
        row, similarity = rated.row[similar], similarity[similar]
        order = np.lexsort((-similarity, row))
        row, similarity, code = row[order], similarity[order], similar[order]
        counts = np.bincount(row, minlength=len(item))
        place = np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
        seen = rated.item[code]
        residual = rated.rating[code] - self.mean - self.item[seen] - bias[row]
        return row, place, similarity, residual


def residuals(baseline: HistoryBiasBaseline, train: RatingRows) -> Float64s:
    """Return what a baseline's mean and biases leave of its training ratings ``[R]``."""
    return train.rating - baseline.mean - baseline.item[train.item] - baseline.user[train.user]
