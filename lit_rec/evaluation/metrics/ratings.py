"""RatingMeasures: compares models of ratings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lit_rec.data.arrays import Bools, Float64s
from lit_rec.evaluation.report.intervals import Drawn
from lit_rec.evaluation.report.measures import Figure, Measures, mean_figure


class RatingMeasures(Measures):
    """``rmse``, ``mae``, and ``rmse_difference``: a model's RMSE minus the first one's.

    Args:
        predictions: ``[R]`` ratings of each of M models.
        target: ``[R]`` ratings.
    """

    def __init__(self, predictions: Sequence[Float64s], target: Float64s) -> None:
        self._errors = np.stack([prediction - target for prediction in predictions])  # [M, R]

    def on(self, mask: Bools, drawn: Drawn) -> dict[str, Figure]:
        """Return the figures."""
        errors = self._errors[:, mask]
        rmse = mean_figure(errors**2, drawn).map(np.sqrt)
        return {
            "rmse": rmse,
            "mae": mean_figure(np.abs(errors), drawn),
            "rmse_difference": rmse.map(lambda value: value - value[0]),
        }
