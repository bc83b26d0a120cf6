"""RatingTask: ratings, in the range of the training ratings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.regression import MeanAbsoluteError, MeanSquaredError

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.evaluation.report.report import Report
from lit_rec.models.objectives.score import Objective, SquaredError
from lit_rec.tasks.pictures import density
from lit_rec.tasks.rating_report import rating_report
from lit_rec.tasks.task import Task

_BARS = 11  # distinct values shown one by one


class RatingTask(Task):
    """The rating of a behavior: squared error by default, decided by RMSE.

    Predictions are cut to the range of the training ratings, for nobody rates 5.3 of 5.
    """

    target = RatingTarget()
    spoken = "ratings"
    logged = errors = ("rmse", "mae")
    deciding = ("rmse",)

    def default_objective(self, gives: str) -> Objective:
        """Return the squared error."""
        return SquaredError()

    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return ratings within their range."""
        return scores.clamp(*facts.rating_range)

    def judged(self, scores: Tensor, predicted: Tensor) -> Tensor:
        """Return the ratings as they are shown."""
        return predicted

    def metrics(
        self, facts: Facts, data: BehaviorDataModule | None, part: str
    ) -> dict[str, Metric]:
        """Return RMSE and MAE."""
        return {"rmse": MeanSquaredError(squared=False), "mae": MeanAbsoluteError()}

    def report(
        self,
        data: BehaviorDataModule,
        rows: Int64s,
        predicted: Float64s,
        vectors: Float64s | None,
    ) -> Report:
        """Compare with means, biases and frozen text."""
        return rating_report(data, rows, predicted, vectors)

    def draw(
        self, writer: Any, predicted: Float64s, true: np.ndarray[Any, Any], facts: Facts, step: int
    ) -> None:
        """Draw predicted against true ratings, and a histogram of the errors."""
        picture = density(predicted, true, *facts.rating_range)
        writer.add_image("val/predicted_against_true", picture, step, dataformats="HW")
        writer.add_histogram("val/error", predicted - true, step)

    def histogram(self, data: BehaviorDataModule) -> dict[str, Any]:
        """Return how often each rating is given, one by one where there are few, else in ten bins."""
        rating = data.prepared.rating[data.prepared.rows_of("train")]
        rating = rating[~np.isnan(rating)].astype(np.float64)
        values, counts = np.unique(rating, return_counts=True)
        names = [f"{value:g}" for value in values]
        if len(values) > _BARS:
            counts, edges = np.histogram(rating, bins=10)
            names = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
        bars = zip(names, counts, strict=True)
        return {
            "mean": float(rating.mean()),
            "low": float(rating.min()),
            "high": float(rating.max()),
            "histogram": [{"value": name, "count": int(count)} for name, count in bars],
        }

    def remarks(self, target: dict[str, Any]) -> Iterator[str]:
        """Warn of ratings that are all the same."""
        if target["low"] == target["high"]:
            yield f"All ratings of the training rows are {target['low']:g}: there is nothing to tell apart."
