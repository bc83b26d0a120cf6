"""The report of ratings: the model beside plain baselines, for all rows and per slice."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.datamodule import BehaviorDataModule
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


def rating_report(
    data: BehaviorDataModule, rows: Int64s, ratings: Float64s, vectors: Float64s | None
) -> Report:
    """Fit the baselines on the training rows and compare; rows without a rating do not count.

    Args:
        data: The behaviors.
        rows: ``[R]`` rows of ``Prepared``.
        ratings: ``[R]``, what the model predicts of them.
        vectors: ``[I, D]`` frozen text vectors of the catalogue; None: unreadable.
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
        # cut as the model's are: no baseline shall lose by ratings that nobody can give
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

    Without users they are those that know none. Those on frozen text are there only where the encoder can be read.

    Args:
        data: The behaviors.
        vectors: ``[I, D]`` frozen text vectors; None: unreadable.
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
    """Return the histories that the model saw for ``rows``, for the baselines to see the same."""
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
