"""Metrics of labels, and LabelMeasures, which compares models by them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lit_rec.data.arrays import Bools, Float64s, Int64s
from lit_rec.evaluation.report.intervals import Drawn, bootstrap_counts, row_weights
from lit_rec.evaluation.report.measures import Figure, Measures, mean_figure

AUC_ROWS = 200_000  # each draw looks at every row of every model: above this, minutes
# float32 cannot represent a probability nearer to 1: such a one was rounded, and its loss is not infinite
_SMALLEST = float(np.finfo(np.float32).eps)


def accuracy(prob: Float64s, target: Int64s) -> float:
    """Share of the rows whose most probable label (the first of equal ones) is right; NaN without rows.

    Args:
        prob: ``[R, K]``.
        target: ``[R]`` places among the labels.

    Example:
        >>> accuracy(np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([1, 1]))
        0.5
    """
    return float(np.mean(prob.argmax(1) == target)) if len(target) else float("nan")


def log_losses(prob: Float64s, target: Int64s) -> Float64s:
    """Return ``-ln`` of the probability of each row's label ``[R]``, for ``prob`` ``[R, K]`` and ``target`` ``[R]``."""
    losses: Float64s = -np.log(prob[np.arange(len(target)), target].clip(_SMALLEST, 1 - _SMALLEST))
    return losses


def log_loss(prob: Float64s, target: Int64s) -> float:
    """Mean of ``-ln`` of the probability of a row's label; NaN without rows.

    Args:
        prob: ``[R, K]``.
        target: ``[R]`` places among the labels.

    Example:
        >>> log_loss(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 0]))
        1.0397207708399179
    """
    return float(log_losses(prob, target).mean()) if len(target) else float("nan")


def macro_f1(predicted: Int64s, target: Int64s, num_labels: int) -> float:
    """Mean of the labels' F1, over labels that some row has or is predicted to have; NaN without rows.

    A label that no row has and none is predicted to have has no F1. Counting it as 0 would punish a small table;
    scikit-learn's ``f1_score(average="macro")`` leaves it out, too.

    Args:
        predicted: ``[R]`` places among the labels.
        target: ``[R]`` places among the labels.
        num_labels: K, the number of labels.

    Example:
        >>> macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
        0.6666666666666666
    """
    counts = (
        np.bincount(labels, minlength=num_labels)
        for labels in (target, predicted, target[predicted == target])
    )
    return float(mean_f1(*counts))


def mean_f1(
    true: Float64s | Int64s, predicted: Float64s | Int64s, right: Float64s | Int64s
) -> Float64s:
    """Return the macro F1 from counts.

    Args:
        true: ``[K, ...]`` rows with each label.
        predicted: ``[K, ...]`` rows predicted to have it.
        right: ``[K, ...]`` rows of both.

    Returns:
        ``[...]``; NaN where all counts are 0.
    """
    both = true + predicted
    f1 = 2 * right / np.where(both > 0, both, 1)
    with np.errstate(invalid="ignore"):
        mean: Float64s = f1.sum(0) / (both > 0).sum(0)
    return mean


def auc(score: Float64s, positive: Bools) -> float:
    """Area under the ROC curve of all rows together; ties count half, NaN where all rows are positive or none is.

    Args:
        score: ``[R]``.
        positive: ``[R]``.

    Example:
        >>> auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
        0.875
    """
    return auc_of_levels(score_levels(score), positive, np.ones(len(score)))


def score_levels(score: Float64s) -> Int64s:
    """Return the place of each score among the distinct ones ``[R]``: AUC needs nothing else of scores."""
    return np.unique(score, return_inverse=True)[1].astype(np.int64)


def auc_of_levels(level: Int64s, positive: Bools, weight: Float64s) -> float:
    """Return the AUC of weighed rows; a pair weighs the product of both weights.

    Args:
        level: ``[R]`` from ``score_levels``.
        positive: ``[R]``.
        weight: ``[R]``.
    """
    levels = int(level.max(initial=-1)) + 1
    won = np.bincount(level[positive], weight[positive], minlength=levels)
    lost = np.bincount(level[~positive], weight[~positive], minlength=levels)
    pairs = won.sum() * lost.sum()
    return float(won @ (np.cumsum(lost) - lost / 2) / pairs) if pairs else float("nan")


class LabelMeasures(Measures):
    """``accuracy``, ``macro_f1``, ``log_loss``, of two labels ``auc``, and ``accuracy_difference``.

    The difference is the first model's minus another's. A model with scores but no probabilities has ``auc`` alone.
    With more than 200,000 rows ``auc`` has no interval.

    Args:
        predictions: Of each of M models probabilities ``[R, K]``, or scores ``[R]`` of the second of two labels; a
            model with probabilities comes first.
        target: ``[R]`` places among the labels.
        num_labels: K, the number of labels.
    """

    def __init__(self, predictions: Sequence[Float64s], target: Int64s, num_labels: int) -> None:
        self._target, self._num_labels, self._models = target, num_labels, len(predictions)
        self._deciding = [m for m, prediction in enumerate(predictions) if prediction.ndim == 2]
        probs = [predictions[m] for m in self._deciding]
        self._predicted = np.stack([prob.argmax(1) for prob in probs])  # [M', R]
        self._log_losses = np.stack([log_losses(prob, target) for prob in probs])
        self._scores = [positive_scores(p) for p in predictions] if num_labels == 2 else []

    def on(self, mask: Bools, drawn: Drawn) -> dict[str, Figure]:
        """Return the figures."""
        target, predicted = self._target[mask], self._predicted[:, mask]
        hits = (predicted == target).astype(np.float64)
        both = mean_figure(np.concatenate([hits, self._log_losses[:, mask]]), drawn)
        deciding = len(self._deciding)
        accuracy = both.map(lambda value: self._spread(value[:deciding]))
        figures = {
            "accuracy": accuracy,
            "macro_f1": self._macro_f1(target, predicted, drawn).map(self._spread),
            "log_loss": both.map(lambda value: self._spread(value[deciding:])),
        }
        if self._scores:
            figures["auc"] = _auc([score[mask] for score in self._scores], target == 1, drawn)
        return {**figures, "accuracy_difference": accuracy.map(lambda value: value[0] - value)}

    def _spread(self, value: Float64s) -> Float64s:
        """Return ``[M', ...]`` as ``[M, ...]``, NaN for models without probabilities."""
        whole = np.full((self._models, *value.shape[1:]), np.nan)
        whole[self._deciding] = value
        return whole

    def _macro_f1(self, target: Int64s, predicted: Int64s, drawn: Drawn) -> Figure:
        models, size = len(predicted), self._num_labels
        right = np.where(predicted == target, target, -1)
        labels = np.concatenate([target[None], predicted, right])  # [2 M' + 1, n]

        def of_counts(counts: Float64s) -> Float64s:  # [2 M' + 1, K, ...] -> [M', ...]
            pairs = zip(counts[1 : models + 1], counts[models + 1 :], strict=True)
            return np.stack([mean_f1(counts[0], labelled, hits) for labelled, hits in pairs])

        counted = np.stack([np.bincount(row + 1, minlength=size + 1)[1:] for row in labels])
        draws = of_counts(bootstrap_counts(labels, size, drawn)) if drawn.is_possible else None
        return Figure(of_counts(counted.astype(np.float64)), draws, len(target))


def positive_scores(prediction: Float64s) -> Float64s:
    """Return scores ``[R]`` of the second of two labels; probabilities ``[R, 2]`` are scores, too."""
    return prediction if prediction.ndim == 1 else prediction[:, 1]


def _auc(scores: list[Float64s], positive: Bools, drawn: Drawn) -> Figure:
    levels = [score_levels(score) for score in scores]

    def aucs(weight: Float64s) -> list[float]:
        return [auc_of_levels(level, positive, weight) for level in levels]

    value = np.array(aucs(np.ones(len(positive))))
    draws = None
    if drawn.is_possible and len(positive) <= AUC_ROWS and not np.isnan(value).all():
        draws = np.array([aucs(weight) for weight in row_weights(drawn)]).T
    return Figure(value, draws, len(positive))
