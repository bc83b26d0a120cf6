"""What depends on the task: the objective by default, from scores to predictions, and what validation measures."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import BinaryAUROC, MulticlassAccuracy, MulticlassF1Score
from torchmetrics.regression import MeanAbsoluteError, MeanSquaredError

from lit_rec.data.facts import Facts
from lit_rec.models.objectives import BinaryCrossEntropy, CrossEntropy, Objective, SquaredError


def default_objective(facts: Facts, gives: str) -> Objective:
    """Return the plain objective of the data's task.

    Args:
        facts: Facts of the data.
        gives: What the network gives, ``scores`` or ``class_scores``.
    """
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
        Ratings ``[B, C]`` cut to the range of the training ratings, for nobody rates 5.3 of 5; or probabilities ``[B, C, K]``.
    """
    if facts.task == "rating":
        return scores.clamp(*facts.rating_range)
    if gives == "class_scores":
        return torch.softmax(scores, -1)
    return torch.stack([torch.sigmoid(-scores), torch.sigmoid(scores)], -1)


def stage_metrics(facts: Facts, stage: str) -> MetricCollection:
    """Return what is logged of a stage: RMSE and MAE; or accuracy, macro F1, and of two labels the area under the ROC curve.

    They take predictions ``[n]`` or ``[n, K]`` and targets ``[n]``.
    """
    metrics: dict[str, Metric | MetricCollection]
    if facts.task == "rating":
        metrics = {"rmse": MeanSquaredError(squared=False), "mae": MeanAbsoluteError()}
    else:
        labels = len(facts.labels)
        metrics = {
            "accuracy": MulticlassAccuracy(labels, average="micro"),
            "macro_f1": MulticlassF1Score(labels, average="macro"),
        }
        if labels == 2:
            metrics["auc"] = _PositiveAUC()
    return MetricCollection(metrics, prefix=f"{stage}/")


class _PositiveAUC(BinaryAUROC):
    """The area under the ROC curve from the probabilities of both labels."""

    def update(self, preds: Tensor, target: Tensor, *args: Any) -> None:
        """Take the positive one's."""
        super().update(preds[:, 1], target)
