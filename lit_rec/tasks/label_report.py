"""The report of labels: the model next to plain baselines, for all rows, per slice, and within impressions if any."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines.frozen_labels import (
    FrozenTextHistoryBaseline,
    FrozenTextLabelKnnBaseline,
)
from lit_rec.evaluation.baselines.labels import (
    ItemLabelFrequencyBaseline,
    LabelBaseline,
    MajorityBaseline,
    PopularityBaseline,
)
from lit_rec.evaluation.metrics.impressions import ImpressionMeasures
from lit_rec.evaluation.metrics.labels import LabelMeasures, positive_scores
from lit_rec.evaluation.report.measures import Measures
from lit_rec.evaluation.report.report import Report, build_report
from lit_rec.evaluation.report.slices import rating_slices, whole

_ROWS = 8192  # rows whose histories are looked at together: bounds the memory, not what they say


def label_report(
    data: BehaviorDataModule, rows: Int64s, prob: Float64s, vectors: Float64s | None
) -> Report:
    """Fit the baselines on the training rows and compare; rows without a label do not count.

    Args:
        data: The behaviors.
        rows: ``[R]`` rows of ``Prepared``.
        prob: ``[R, K]``, what the model predicts of them; K labels as ``Facts.labels`` has them.
        vectors: ``[I, D]`` frozen text vectors of the catalogue; None: unreadable.
    """
    prepared, labels = data.prepared, data.facts.labels
    target = target_of_rows(prepared, data.facts).astype(np.int64)
    train = _label_rows(data, target, prepared.rows_of("train"))
    known = target[rows] >= 0
    rows = rows[known]
    test = _label_rows(data, target, rows)
    impression = np.asarray(prepared.impression[rows], np.int64)
    by_impression = len(labels) == 2 and bool((impression >= 0).any())
    history = shared_history(data, rows)
    # no row at all leaves no axis of labels
    predictions = {"lit_rec": prob[known].reshape(-1, len(labels))}
    for baseline in label_baselines(vectors, history, by_impression=by_impression):
        baseline.fit(train, len(prepared.items), len(labels))
        predictions[baseline.name] = baseline.predict(test.item, history)
    found = list(predictions.values())
    measures: list[Measures] = [LabelMeasures(found, test.label, len(labels))]
    if by_impression:
        scores = [positive_scores(prediction) for prediction in found]
        measures.insert(0, ImpressionMeasures(scores, test.label == 1, impression))
    with_users = bool(data.facts.user_ids)
    return build_report(
        list(predictions),
        measures,
        rating_slices(train, test.user, test.item) if with_users else whole(len(rows)),
        test.user if with_users else np.arange(len(rows)),
        test.item,
        meta={"labels": list(labels)},
    )


def label_baselines(
    vectors: Float64s | None, history: SharedHistory, *, by_impression: bool
) -> list[LabelBaseline]:
    """Return the baselines of labels; on frozen text only where the encoder can be read.

    Args:
        vectors: ``[I, D]`` frozen text vectors; None: unreadable.
        history: Histories of the tested rows.
        by_impression: Whether rows were shown together and one of two labels is wanted: then those that only rank are
            of use.
    """
    found: list[LabelBaseline] = [MajorityBaseline(), ItemLabelFrequencyBaseline()]
    if by_impression:
        found.append(PopularityBaseline())
    if vectors is not None:
        found.append(FrozenTextLabelKnnBaseline(vectors))
        if by_impression and len(history.item):
            found.append(FrozenTextHistoryBaseline(vectors))
    return found


def shared_history(data: BehaviorDataModule, rows: Int64s) -> SharedHistory:
    """Return the histories that the model saw for ``rows``.

    Neighbouring rows with the same one share it, as in an impression.
    """
    bound = data.history.bind(data.prepared)
    none = np.empty(0, np.int64)
    sizes, items, of_row, lists = [none], [none], [none], 0
    for start in range(0, len(rows), _ROWS):
        found = bound.of(rows[start : start + _ROWS])
        new = np.ones(len(found.mask), bool)
        new[1:] = ((found.item[1:] != found.item[:-1]) | (found.mask[1:] != found.mask[:-1])).any(1)
        of_row.append(lists + np.cumsum(new) - 1)
        lists += int(new.sum())
        sizes.append(found.mask[new].sum(1))
        items.append(found.item[new][found.mask[new]])
    offsets = np.cumsum(np.concatenate([[0], *sizes]), dtype=np.int64)
    return SharedHistory(offsets, np.concatenate(items), np.concatenate(of_row))


def _label_rows(data: BehaviorDataModule, target: Int64s, rows: Int64s) -> LabelRows:
    prepared = data.prepared
    return LabelRows(
        prepared.user[rows].astype(np.int64), prepared.item[rows].astype(np.int64), target[rows]
    )
