"""clock: how high the user rated at about the same time."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.evaluation.arrays import RaggedHistory, RatingTrial
from lit_rec.evaluation.baselines.ratings import HistoryBiasBaseline

# to choose from; the first ones where there are too few rows to hold any out
_SECONDS = (15.0, 2.0, 5.0, 60.0, 300.0, 1800.0, 86_400.0)
_SHRINKAGES = (3.0, 0.3, 1.0, 10.0)


class ClockBaseline(HistoryBiasBaseline):
    """Mean + biases + one number that knows the clock: ``s sum_h w_h r_h / (sum_h w_h + c)``.

    ``r_h`` is a rating of the row's history without mean and biases, and ``w_h = 1 / (1 + |age| / t)`` has half its
    weight at t seconds before or after the row. Of a rating of unknown age nothing is taken. People rate page by page,
    so where histories lie on both sides of a row in time, as in random splits, this alone says much. A model that is
    asked before the page is rated does not have it.

    Args:
        trial: s (by least squares, at least 0), t and c are those by which its rest predicts its held-out rows best;
            None, or no rows held out: 1, 15 and 3.

    Reference:
        Koren 2009, Collaborative filtering with temporal dynamics, https://doi.org/10.1145/1557019.1557072, section 3
        (biases of a day).

    Example:
        >>> from lit_rec.evaluation.arrays import RatingRows
        >>> train = RatingRows(user=np.array([0]), item=np.array([0]), rating=np.array([3.0]))
        >>> seen = RaggedHistory(np.array([0, 1]), np.array([0]), np.array([5.0]), age=np.array([-15.0]))
        >>> baseline = ClockBaseline()
        >>> baseline.fit(train, num_users=1, num_items=1)
        >>> baseline.mood(seen).round(4).tolist()  # (2 - 2 / 6) / 2 / (1 / 2 + 3)
        [0.2381]
    """

    name = "clock"

    def __init__(self, trial: RatingTrial | None = None) -> None:
        super().__init__(trial)
        self.seconds, self.shrinkage, self.share = _SECONDS[0], _SHRINKAGES[0], 1.0

    def choose(self, trial: RatingTrial) -> None:
        """Choose the shrinkage of the user's bias, then what the clock says."""
        super().choose(trial)
        held = trial.held
        left = held.rating - super().predict(held.user, held.item, trial.history)
        row, age, residual = self._aged(trial.history)
        errors = {}
        for seconds, shrinkage in product(_SECONDS, _SHRINKAGES):
            mood = _level(row, age, residual, len(left), seconds, shrinkage)
            share = max(float(mood @ left) / max(float(mood @ mood), 1e-12), 0.0)
            errors[seconds, shrinkage, share] = float(np.sum((left - share * mood) ** 2))
        self.seconds, self.shrinkage, self.share = min(errors, key=errors.__getitem__)

    def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return the ratings."""
        return super().predict(user, item, history) + self.share * self.mood(history)

    def mood(self, history: RaggedHistory) -> Float64s:
        """Return how much higher than usual the user rated at about the time of each row ``[R]``."""
        size = len(history.offsets) - 1
        return _level(*self._aged(history), size, self.seconds, self.shrinkage)

    def chosen(self) -> dict[str, Any]:
        """Return t, c and s beside the shrinkages of the biases."""
        own = {"seconds": self.seconds, "shrinkage": self.shrinkage, "share": round(self.share, 4)}
        return super().chosen() | own

    def _aged(self, history: RaggedHistory) -> tuple[Int64s, Float64s, Float64s]:
        """Return row, distance in time and residual of each rating whose time is known."""
        bias, rated = self.history_bias(history), history.rated()
        age = np.full(len(rated.item), np.nan) if rated.age is None else np.abs(rated.age)
        known = ~np.isnan(age)
        row, item = rated.row[known], rated.item[known]
        return row, age[known], rated.rating[known] - self.mean - self.item[item] - bias[row]


def _level(
    row: Int64s, age: Float64s, residual: Float64s, size: int, seconds: float, shrinkage: float
) -> Float64s:
    weight = 1 / (1 + age / seconds)
    total = np.bincount(row, weight * residual, minlength=size)
    return total / (np.bincount(row, weight, minlength=size) + shrinkage)
