"""LabelTask: probabilities of labels of behaviors or texts, such as clicked or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.facts import Facts
from lit_rec.data.targets.label import LabelTarget
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines.frozen_labels import (
    HistoryTextBaseline,
    TextLabelKnnBaseline,
)
from lit_rec.evaluation.baselines.labels import (
    ItemLabelFrequencyBaseline,
    LabelBaseline,
    MajorityBaseline,
    PopularityBaseline,
)
from lit_rec.evaluation.baselines.logistic_regression import LogisticRegressionBaseline
from lit_rec.evaluation.metrics.impressions import ImpressionMeasures
from lit_rec.evaluation.metrics.labels import LabelMeasures, positive_scores
from lit_rec.evaluation.report.measures import Measures
from lit_rec.evaluation.report.report import Report, build_report
from lit_rec.evaluation.report.slices import rating_slices, whole
from lit_rec.models.objectives.score import BinaryCrossEntropy, CrossEntropy, Objective
from lit_rec.tasks.baseline_lines import BaselineLines
from lit_rec.tasks.logged_names import IMPRESSION_MEASURES, has_impressions
from lit_rec.tasks.pictures import confusion, enlarged, framed
from lit_rec.tasks.task import SPACES, Task, wrong_label

if TYPE_CHECKING:
    from torchmetrics import Metric

    from lit_rec.data.datamodule import BehaviorDataModule


_PR_ROWS = 200_000  # rows of a PR curve: enough for its shape
_RARE = 0.01  # share of the training rows below which accuracy says little about a label
_ROWS = 8192  # histories that are read at once: limits the memory, does not change the result


class LabelTask(Task):
    """Predict labels: cross-entropy by default, and the best epoch by AUC, or by accuracy for more than two labels.

    If rows were shown together in impressions, the AUC within impressions decides.
    """

    target = LabelTarget()
    spoken = "labels"
    space = SPACES / "label.yaml"
    logged = ("accuracy", "macro_f1", "auc", *IMPRESSION_MEASURES)
    deciding = ("impression_auc", "auc", "accuracy")

    def default_objective(self, gives: str) -> Objective:
        """Return binary cross-entropy if a score is the logit of the second of two labels, else that of K labels."""
        return BinaryCrossEntropy() if gives == "scores" else CrossEntropy()

    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return probabilities ``[..., C, K]``."""
        if gives == "class_scores":
            return torch.softmax(scores, -1)
        return torch.stack([torch.sigmoid(-scores), torch.sigmoid(scores)], -1)

    def metrics(
        self, facts: Facts, data: BehaviorDataModule | None, part: str
    ) -> dict[str, Metric]:
        """Return accuracy and macro F1; for two labels also AUC, and metrics of impressions if there are some."""
        from lit_rec.tasks import logged_metrics as logged  # takes long, and only training logs

        labels = len(facts.labels)
        found: dict[str, Metric] = {
            "accuracy": logged.LabelAccuracy(labels, average="micro"),
            "macro_f1": logged.LabelMacroF1(labels, average="macro"),
        }
        if labels == 2:
            found["auc"] = logged.PositiveAUC()
            if data is not None and has_impressions(data, part):
                found |= {n: logged.ImpressionMetric(m) for n, m in IMPRESSION_MEASURES.items()}
        return found

    def report(
        self,
        data: BehaviorDataModule,
        rows: Int64s,
        predicted: Float64s,
        vectors: Float64s | None,
    ) -> Report:
        """Compare the model with label frequencies and frozen text, also within impressions."""
        return label_report(data, rows, predicted, vectors)

    def columns(self, predicted: Float64s, facts: Facts) -> dict[str, pl.Series]:
        """Return the most probable label and its probability; for two labels also the positive one's, as score."""
        prob = predicted.reshape(
            -1, len(facts.labels)
        )  # without rows, the axis of labels is missing
        found = {
            "label": pl.Series(facts.labels, dtype=pl.String).gather(prob.argmax(1)),
            "probability": pl.Series(prob.max(1)),
        }
        if len(facts.labels) == 2:
            found["score"] = pl.Series(np.ascontiguousarray(prob[:, 1]))
        return found

    def draw(
        self, writer: Any, predicted: Float64s, true: np.ndarray[Any, Any], facts: Facts, step: int
    ) -> None:
        """Draw the confusion matrix, and for two labels the PR curve."""
        table = confusion(predicted.argmax(1), true, len(facts.labels))
        names = list(facts.labels)
        picture = framed(
            enlarged(table), ("predicted label", names), ("true label", names), bands=True
        )
        writer.add_image("val/confusion", picture, step, dataformats="HWC")
        if len(facts.labels) == 2:
            true, positive = true[:_PR_ROWS], predicted[:_PR_ROWS, 1]
            writer.add_pr_curve("val/precision_recall", true, positive, step)

    def asked_label(self, label: str | None, facts: Facts) -> int | None:
        """Return the index of a label; without a name, that of the positive one of two labels.

        Raises:
            DataError: If the data has no such label, or none is named for more than two labels.
        """
        if label is None and len(facts.labels) == 2:
            return 1
        if label not in facts.labels:
            rule = f"one of {', '.join(facts.labels[:20])}"
            absent = "say whose probability is asked for"
            raise wrong_label(label, rule, remedy=absent if label is None else "correct the name")
        return facts.labels.index(label)

    def sorting_and_shown(
        self, scores: Tensor, facts: Facts, gives: str, label: str | None
    ) -> tuple[Tensor, Tensor]:
        """Return log probabilities, or logits for two labels, as sort keys, and probabilities to show.

        Raises:
            DataError: As ``asked_label`` does.
        """
        place = self.asked_label(label, facts)
        shown = self.predictions(scores, facts, gives)[..., place]
        if gives == "class_scores":
            return torch.log_softmax(scores, -1)[..., place], shown
        return scores if place else -scores, shown

    def score_meaning(self, facts: Facts, label: str | None = None) -> str:
        """Return that it is a probability, and whose."""
        place = self.asked_label(label, facts)
        return f"probability of the label '{label if place is None else facts.labels[place]}'"

    def falls_with_scores(self, label: str | None, facts: Facts) -> bool:
        """Return whether the first of two labels is asked for: its probability falls as the logit rises."""
        return label == facts.labels[0]

    def histogram(self, data: BehaviorDataModule) -> dict[str, Any]:
        """Return the counts of training rows by label."""
        bars = zip(data.facts.labels, data.facts.label_counts, strict=True)
        return {"histogram": [{"value": name, "count": count} for name, count in bars]}

    def remarks(self, target: dict[str, Any]) -> Iterator[str]:
        """Warn of a rare label."""
        bars = target["histogram"]
        rare, rows = min(bars, key=lambda bar: bar["count"]), sum(bar["count"] for bar in bars)
        if rare["count"] < _RARE * rows:
            yield (
                f"Label '{rare['value']}' is on {rare['count']:,} of {rows:,} training rows: "
                "accuracy will say little about it."
            )


def label_report(
    data: BehaviorDataModule, rows: Int64s, prob: Float64s, vectors: Float64s | None
) -> Report:
    """Fit the baselines on the training rows and compare; rows without a label are left out.

    Args:
        data: The behaviors.
        rows: ``[R]`` rows of ``Prepared``.
        prob: ``[R, K]`` probabilities by the model; labels in the order of ``Facts.labels``.
        vectors: ``[I, D]`` frozen text vectors of the catalogue; None: the encoder cannot be loaded.
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
    # without rows, the axis of labels is missing
    predictions = {"lit_rec": prob[known].reshape(-1, len(labels))}
    baselines = label_baselines(vectors, history, by_impression=by_impression)
    lines = BaselineLines(len(rows))
    for baseline in baselines:
        baseline.fit(train, len(prepared.items), len(labels))
        predictions[baseline.name] = baseline.predict(test.item, history)
        lines.done(baseline.name)
    lines.measure(len(predictions))
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
        meta={
            "labels": list(labels),
            "baseline_seconds": lines.seconds,
            "chosen": {each.name: each.chosen() for each in baselines if each.chosen()},
        },
    )


def label_baselines(
    vectors: Float64s | None, history: SharedHistory, *, by_impression: bool
) -> list[LabelBaseline]:
    """Return the baselines of labels; those on frozen text only if the encoder can be loaded.

    Args:
        vectors: ``[I, D]`` frozen text vectors; None: the encoder cannot be loaded.
        history: Histories of the tested rows.
        by_impression: Whether there are two labels and rows were shown together; baselines that only rank are then
            included.
    """
    found: list[LabelBaseline] = [MajorityBaseline(), ItemLabelFrequencyBaseline()]
    if by_impression:
        found.append(PopularityBaseline())
    if vectors is not None:
        unit = vectors.astype(np.float32)  # one copy for all
        found += [TextLabelKnnBaseline(unit), LogisticRegressionBaseline(unit)]
        if by_impression and len(history.item):
            found.append(HistoryTextBaseline(unit))
    return found


def shared_history(data: BehaviorDataModule, rows: Int64s) -> SharedHistory:
    """Return the histories that the model saw for ``rows``.

    Neighbouring rows with equal histories share one, as in an impression.
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
