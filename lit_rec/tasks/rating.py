"""RatingTask: ratings, in the range of the training ratings."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.facts import Facts
from lit_rec.data.history.rule import OrderedHistory
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial
from lit_rec.evaluation.baselines.blend import BlendBaseline, ClockBlendBaseline
from lit_rec.evaluation.baselines.clock import ClockBaseline
from lit_rec.evaluation.baselines.frozen_ratings import TextKnnBaseline, TextRidgeBaseline
from lit_rec.evaluation.baselines.item_knn import ItemKnnBaseline
from lit_rec.evaluation.baselines.matrix_factorisation import MatrixFactorisationBaseline
from lit_rec.evaluation.baselines.ratings import (
    Baseline,
    HistoryBiasBaseline,
    MeanBaseline,
    UserItemBiasBaseline,
    tenth,
)
from lit_rec.evaluation.metrics.ratings import RatingMeasures
from lit_rec.evaluation.report.report import Report, build_report
from lit_rec.evaluation.report.slices import rating_slices, whole
from lit_rec.models.objectives.score import Objective, SquaredError
from lit_rec.tasks.baseline_lines import BaselineLines
from lit_rec.tasks.pictures import density, framed
from lit_rec.tasks.task import SPACES, Task

if TYPE_CHECKING:
    from torchmetrics import Metric

    from lit_rec.data.datamodule import BehaviorDataModule


_BARS = 11  # distinct values shown one by one
_HELD = 20_000  # most training rows on which the baselines' options are chosen
_ROWS = 8192  # rows whose histories are held at once: bounds the memory, not the result


class RatingTask(Task):
    """Predict ratings: squared error by default, and the best epoch by RMSE.

    Predictions are clipped to the range of the training ratings.

    Example:
        >>> RatingTask().logged, RatingTask().deciding
        (('rmse', 'mae'), ('rmse',))
    """

    target = RatingTarget()
    spoken = "ratings"
    space = SPACES / "rating.yaml"
    logged = errors = ("rmse", "mae")
    deciding = ("rmse",)
    clips = True

    def default_objective(self, gives: str) -> Objective:
        """Return the squared error."""
        return SquaredError()

    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return ratings, clipped to their range."""
        return scores.clamp(*facts.rating_range)

    def score_meaning(self, facts: Facts, label: str | None = None) -> str:
        """Return that it is a rating, and its range."""
        self.asked_label(label, facts)
        low, high = facts.rating_range
        return f"predicted rating, {low:g} to {high:g}"

    def judged(self, scores: Tensor, predicted: Tensor) -> Tensor:
        """Return the clipped ratings."""
        return predicted

    def metrics(
        self, facts: Facts, data: BehaviorDataModule | None, part: str
    ) -> dict[str, Metric]:
        """Return RMSE and MAE."""
        from torchmetrics.regression import MeanAbsoluteError, MeanSquaredError  # takes long

        return {"rmse": MeanSquaredError(squared=False), "mae": MeanAbsoluteError()}

    def report(
        self,
        data: BehaviorDataModule,
        rows: Int64s,
        predicted: Float64s,
        vectors: Float64s | None,
    ) -> Report:
        """Compare the model with biases, neighbours, factors, frozen text and the clock."""
        return rating_report(data, rows, predicted, vectors)

    def draw(
        self, writer: Any, predicted: Float64s, true: np.ndarray[Any, Any], facts: Facts, step: int
    ) -> None:
        """Draw predicted against true ratings, and a histogram of the errors."""
        low, high = facts.rating_range
        ticks = [f"{value:g}" for value in np.linspace(low, high, 5)]
        picture = framed(
            density(predicted, true, low, high),
            ("true rating", ticks),
            ("predicted rating", ticks[::-1]),
        )
        writer.add_image("val/predicted_against_true", picture, step, dataformats="HWC")
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
    found = baselines(data, vectors, rating_trial(data))
    lines = BaselineLines(len(rows))
    for baseline in found:
        baseline.fit(train, len(prepared.user_ids), len(prepared.items))
        lines.done(baseline.name)
    predictions = {"lit_rec": ratings[known]}
    predictions |= {baseline.name: np.empty(len(rows)) for baseline in found}
    for start in range(0, len(rows), _ROWS):
        part = slice(start, start + _ROWS)
        history = ragged_history(data, rows[part])
        for baseline in found:
            predicted = baseline.predict(test.user[part], test.item[part], history)
            # clipped as the model's are: ratings out of range must not count against a baseline
            predictions[baseline.name][part] = predicted.clip(*data.facts.rating_range)
    lines.say_time("predictions of all")
    lines.measure(len(predictions))
    with_users = bool(data.facts.user_ids)
    chosen = {baseline.name: options for baseline in found if (options := baseline.chosen())}
    return build_report(
        list(predictions),
        [RatingMeasures(list(predictions.values()), test.rating)],
        rating_slices(train, test.user, test.item) if with_users else whole(len(rows)),
        test.user if with_users else np.arange(len(rows)),
        test.item,
        meta={"chosen": chosen, "baseline_seconds": lines.seconds},
    )


def baselines(
    data: BehaviorDataModule, vectors: Float64s | None, trial: RatingTrial | None
) -> list[Baseline]:
    """Return the baselines of rating prediction, in the order in which they have to be fitted.

    Baselines with users are left out if the data has none, those on frozen text if the encoder cannot be loaded, and
    those that know the clock unless histories look at both sides in time.

    Args:
        data: The behaviors.
        vectors: ``[I, D]`` frozen text vectors; None: the encoder cannot be loaded.
        trial: Training rows on which options are chosen; None: the baselines keep their own.
    """
    if not data.facts.user_ids:
        return [MeanBaseline(), *([] if vectors is None else [TextRidgeBaseline(vectors)])]
    biases = HistoryBiasBaseline(trial)
    parts: list[Baseline] = [ItemKnnBaseline(trial), MatrixFactorisationBaseline(trial)]
    found: list[Baseline] = [MeanBaseline(), UserItemBiasBaseline(), biases, *parts]
    if vectors is not None:
        found += [TextKnnBaseline(vectors, trial), TextRidgeBaseline(vectors, trial)]
    found.append(BlendBaseline(biases, parts, trial))
    if trial is not None and _looks_both_ways(data, trial):
        clock = ClockBaseline(trial)
        found += [clock, ClockBlendBaseline(biases, [*parts, clock], trial)]
    return found


def rating_trial(data: BehaviorDataModule) -> RatingTrial | None:
    """Return the training rows that have a rating, a tenth of them held out, each with the history the model sees.

    At most 20,000 are held out. None: the data has no users, or fewer than ten such rows.

    Args:
        data: The behaviors.
    """
    rows = data.prepared.rows_of("train")
    rows = rows[~np.isnan(data.prepared.rating[rows])]
    held = tenth(len(rows))
    held &= np.cumsum(held) <= _HELD
    if not data.facts.user_ids or not held.any():
        return None
    history = ragged_history(data, rows[held])
    return RatingTrial(_rating_rows(data, rows[~held]), _rating_rows(data, rows[held]), history)


def _looks_both_ways(data: BehaviorDataModule, trial: RatingTrial) -> bool:
    """Return whether histories hold what came after the row as well, and when it was."""
    age = trial.history.age
    timed = age is not None and not np.isnan(age).all()
    return timed and not isinstance(data.history, OrderedHistory)


def ragged_history(data: BehaviorDataModule, rows: Int64s) -> RaggedHistory:
    """Return the histories that the model saw for ``rows``, as input of the baselines."""
    prepared = data.prepared
    bound = data.history.bind(prepared)
    counts, items, ratings, ages = [], [], [], []
    for start in range(0, max(len(rows), 1), _ROWS):
        part = rows[start : start + _ROWS]
        found = bound.of(part)
        source = found.source[found.mask]
        known = source >= 0
        count = found.mask.sum(1)
        age = np.repeat(prepared.timestamp[part], count) - prepared.timestamp[source]
        counts.append(count)
        items.append(found.item[found.mask])
        ratings.append(np.where(known, prepared.rating[source], np.nan).astype(np.float64))
        ages.append(np.where(known, age, np.nan))
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return RaggedHistory(offsets, *(np.concatenate(of) for of in (items, ratings, ages)))


def _rating_rows(data: BehaviorDataModule, rows: Int64s) -> RatingRows:
    prepared = data.prepared
    return RatingRows(
        prepared.user[rows].astype(np.int64),
        prepared.item[rows].astype(np.int64),
        prepared.rating[rows].astype(np.float64),
    )
