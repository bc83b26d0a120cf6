"""How models of labels are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lit_rec.data.arrays import Bools, Float64s, Int64s
from lit_rec.evaluation.metrics.labels import auc_of_levels, log_losses, mean_f1, score_levels
from lit_rec.evaluation.report.intervals import Drawn, bootstrap_counts, row_weights
from lit_rec.evaluation.report.measures import Figure, Measures, mean_figure

AUC_ROWS = 200_000  # each draw looks at every row of every model: above this, minutes


class LabelMeasures(Measures):
    """``accuracy``, ``macro_f1``, ``log_loss``, of two labels ``auc``, and ``accuracy_difference``.

    The difference is the first model's minus another's. A model that only scores, without probabilities, has ``auc``
    alone. Of more than 200,000 rows ``auc`` has no interval.

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
            return np.stack([mean_f1(counts[0], told, hits) for told, hits in pairs])

        counted = np.stack([np.bincount(row + 1, minlength=size + 1)[1:] for row in labels])
        draws = of_counts(bootstrap_counts(labels, size, drawn)) if drawn.is_possible else None
        return Figure(of_counts(counted.astype(np.float64)), draws, len(target))


def positive_scores(prediction: Float64s) -> Float64s:
    """Return scores ``[R]`` of the second of two labels, from themselves or from probabilities ``[R, 2]``."""
    return prediction if prediction.ndim == 1 else prediction[:, 1]


def _auc(scores: list[Float64s], positive: Bools, drawn: Drawn) -> Figure:
    levels = [score_levels(score) for score in scores]

    def weighed(weight: Float64s) -> list[float]:
        return [auc_of_levels(level, positive, weight) for level in levels]

    value = np.array(weighed(np.ones(len(positive))))
    draws = None
    if drawn.is_possible and len(positive) <= AUC_ROWS and not np.isnan(value).all():
        draws = np.array([weighed(weight) for weight in row_weights(drawn)]).T
    return Figure(value, draws, len(positive))
