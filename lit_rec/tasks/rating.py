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
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows
from lit_rec.evaluation.baselines.frozen_ratings import (
    FrozenTextKnnBaseline,
    FrozenTextRidgeBaseline,
)
from lit_rec.evaluation.baselines.ratings import (
    Baseline,
    HistoryBiasBaseline,
    MeanBaseline,
    UserItemBiasBaseline,
)
from lit_rec.evaluation.metrics.ratings import RatingMeasures
from lit_rec.evaluation.report.report import Report, build_report
from lit_rec.evaluation.report.slices import rating_slices, whole
from lit_rec.models.objectives.score import Objective, SquaredError
from lit_rec.tasks.pictures import density
from lit_rec.tasks.task import Task

_BARS = 11  # distinct values shown one by one


class RatingTask(Task):
    """Predict ratings: squared error by default, and the best epoch by RMSE.

    Predictions are clipped to the range of the training ratings.

    Example:
        >>> RatingTask().logged, RatingTask().deciding
        (('rmse', 'mae'), ('rmse',))
    """

    target = RatingTarget()
    spoken = "ratings"
    logged = errors = ("rmse", "mae")
    deciding = ("rmse",)

    def default_objective(self, gives: str) -> Objective:
        """Return the squared error."""
        return SquaredError()

    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return ratings, clipped to their range."""
        return scores.clamp(*facts.rating_range)

    def judged(self, scores: Tensor, predicted: Tensor) -> Tensor:
        """Return the clipped ratings."""
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
        """Compare the model with means, biases and frozen text."""
        return rating_report(data, rows, predicted, vectors)

    def draw(
        self, writer: Any, predicted: Float64s, true: np.ndarray[Any, Any], facts: Facts, step: int
    ) -> None:
        """Draw predicted against true ratings, and a histogram of the errors."""
        picture = density(predicted, true, *facts.rating_range)
        writer.add_image("val/predicted_against_true", picture, step, dataformats="HW")
        writer.add_histogram("val/error", predicted - true, step)

    def histogram(self, data: BehaviorDataModule) -> dict[str, Any]:
        """Return the counts of ratings, one by one if there are few, else in ten bins."""
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
            yield f"All ratings of the training rows are {target['low']:g}: there is nothing to predict."


def rating_report(
    data: BehaviorDataModule, rows: Int64s, ratings: Float64s, vectors: Float64s | None
) -> Report:
    """Fit the baselines on the training rows and compare; rows without a rating are left out.

    Args:
        data: The behaviors.
        rows: ``[R]`` rows of ``Prepared``.
        ratings: ``[R]`` predictions of the model.
        vectors: ``[I, D]`` frozen text vectors of the catalogue; None: the encoder cannot be loaded.
    """
    prepared = data.prepared
    train = _rating_rows(data, prepared.rows_of("train"))
    known = ~np.isnan(prepared.rating[rows])
    rows = rows[known]
    test = _rating_rows(data, rows)
    predictions = {"lit_rec": ratings[known]}
    history = ragged_history(data, rows)
    for baseline in baselines(data, vectors):
        baseline.fit(train, len(prepared.user_ids), len(prepared.items))
        predicted = baseline.predict(test.user, test.item, history)
        # clipped as the model's are: ratings out of range must not count against a baseline
        predictions[baseline.name] = predicted.clip(*data.facts.rating_range)
    with_users = bool(data.facts.user_ids)
    return build_report(
        list(predictions),
        [RatingMeasures(list(predictions.values()), test.rating)],
        rating_slices(train, test.user, test.item) if with_users else whole(len(rows)),
        test.user if with_users else np.arange(len(rows)),
        test.item,
    )


def baselines(data: BehaviorDataModule, vectors: Float64s | None) -> list[Baseline]:
    """Return the baselines of rating prediction.

    Baselines with users are left out if the data has none, those on frozen text if the encoder cannot be loaded.

    Args:
        data: The behaviors.
        vectors: ``[I, D]`` frozen text vectors; None: the encoder cannot be loaded.
    """
    found: list[Baseline] = [MeanBaseline()]
    with_users = bool(data.facts.user_ids)
    if with_users:
        found += [UserItemBiasBaseline(), HistoryBiasBaseline()]
    if vectors is not None:
        found += [FrozenTextKnnBaseline(vectors)] if with_users else []
        found.append(FrozenTextRidgeBaseline(vectors))
    return found


def ragged_history(data: BehaviorDataModule, rows: Int64s) -> RaggedHistory:
    """Return the histories that the model saw for ``rows``, as input of the baselines."""
    prepared = data.prepared
    found = data.history.bind(prepared).of(rows)
    source = np.where(found.source >= 0, found.source, 0)
    rating = np.where(found.source >= 0, prepared.rating[source], np.nan)
    offsets = np.concatenate([[0], np.cumsum(found.mask.sum(1))]).astype(np.int64)
    return RaggedHistory(offsets, found.item[found.mask], rating[found.mask].astype(np.float64))


def _rating_rows(data: BehaviorDataModule, rows: Int64s) -> RatingRows:
    prepared = data.prepared
    return RatingRows(
        prepared.user[rows].astype(np.int64),
        prepared.item[rows].astype(np.int64),
        prepared.rating[rows].astype(np.float64),
    )
