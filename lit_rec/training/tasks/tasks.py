"""What depends on the task: the objective by default, from scores to predictions, and what validation measures."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import BinaryAUROC, MulticlassAccuracy, MulticlassF1Score
from torchmetrics.regression import MeanAbsoluteError, MeanSquaredError

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.models.objectives.ranking import ItemSoftmax
from lit_rec.models.objectives.score import (
    BinaryCrossEntropy,
    CrossEntropy,
    Objective,
    SquaredError,
)
from lit_rec.training.tasks.impression_metrics import impression_metrics, ranks_impressions
from lit_rec.training.tasks.rank_metric import LOGGED, RankMetric


def default_objective(facts: Facts, gives: str) -> Objective:
    """Return the plain objective of the data's task.

    Args:
        facts: Facts of the data.
        gives: What the network gives, ``scores``, ``class_scores`` or ``vectors``.
    """
    if facts.task == "next_item":
        return ItemSoftmax()
    if facts.task == "rating":
        return SquaredError()
    return BinaryCrossEntropy() if gives == "scores" else CrossEntropy()


def predictions(scores: Tensor, facts: Facts, gives: str) -> Tensor:
    """Return what a user is told.

    Args:
        scores: ``[B, C]``, or ``[B, C, K]`` where the network gives class scores.
        facts: Facts of the data.
        gives: What the network gives.

    Returns:
        Ratings ``[B, C]`` cut to the range of the training ratings, for nobody rates 5.3 of 5; or probabilities
        ``[B, C, K]``; or the scores themselves where the next item is predicted, for they have no unit.
    """
    if facts.task == "next_item":
        return scores
    if facts.task == "rating":
        return scores.clamp(*facts.rating_range)
    if gives == "class_scores":
        return torch.softmax(scores, -1)
    return torch.stack([torch.sigmoid(-scores), torch.sigmoid(scores)], -1)


def metrics_of(
    facts: Facts | None, data: BehaviorDataModule | None
) -> tuple[MetricCollection, MetricCollection]:
    """Return what is logged of validation and test; of impressions only where these rows have some to rank.

    Args:
        facts: Facts that the network was built from.
        data: Knows the rows, where there is a Trainer.
    """
    if facts is None:
        raise ValueError("metrics are chosen once Facts are known")
    val, test = (
        stage_metrics(facts, part, ranks=data is not None and ranks_impressions(data, part))
        for part in ("val", "test")
    )
    return val, test


def stage_metrics(facts: Facts, stage: str, *, ranks: bool = False) -> MetricCollection:
    """Return what is logged of a stage.

    RMSE and MAE; or accuracy, macro F1, and of two labels the area under the ROC curve; or Recall, nDCG and MRR of the
    next item.

    They take predictions ``[n]`` or ``[n, K]``, or ranks ``[n, 2]``, targets ``[n]``, and as ``impression`` the numbers
    ``[n]`` of what was shown together.

    Args:
        facts: Facts of the data.
        stage: ``val`` or ``test``, which the names begin with.
        ranks: Whether there are impressions to rank, in which case their metrics are added.
    """
    metrics: dict[str, Metric | MetricCollection]
    if facts.task == "next_item":
        metrics = {name: RankMetric(name) for name in LOGGED}
    elif facts.task == "rating":
        metrics = {"rmse": MeanSquaredError(squared=False), "mae": MeanAbsoluteError()}
    else:
        labels = len(facts.labels)
        metrics = {
            "accuracy": _Accuracy(labels, average="micro"),
            "macro_f1": _MacroF1(labels, average="macro"),
        }
        if labels == 2:
            metrics["auc"] = _PositiveAUC()
        if ranks:
            metrics |= impression_metrics()
    return MetricCollection(metrics, prefix=f"{stage}/")


class _Accuracy(MulticlassAccuracy):
    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count; torchmetrics would stop at a batch whose rows have no label, or a process that has no row."""
        if len(target):
            super().update(preds, target)


class _MacroF1(MulticlassF1Score):
    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count, as above."""
        if len(target):
            super().update(preds, target)


class _PositiveAUC(BinaryAUROC):
    """The area under the ROC curve from the probabilities of both labels."""

    def update(self, preds: Tensor, target: Tensor, *args: Any) -> None:
        """Take the positive one's."""
        super().update(preds[:, 1], target)
