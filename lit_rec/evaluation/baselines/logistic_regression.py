"""Multinomial logistic regression of labels on text vectors of the pretrained encoder."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Bools, Float32s, Float64s, Int64s
from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines.labels import LabelBaseline, labels_of_items, sampled
from lit_rec.evaluation.baselines.lbfgs import minimum

# Inverse penalties to choose from, weakest fit first. Click logs with many rows per item take the small ones, a few
# texts per label the large ones.
INVERSE_PENALTIES = (
    *(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
    *(1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0),
)
_WITHOUT_CHOICE = 1.0  # where there are too few texts to choose by
_FOLDS = 5
_WORSE = 1.001  # times the least loss: stronger fits are no longer tried; below, it may be rounding
_NUMBERS = 40_000_000  # of the vectors that are fitted: bounds the memory
_PRODUCTS = 1_000_000_000  # texts x width x labels: bounds the time of a step
_FEWEST = 2_000  # texts that are always fitted
_BLOCK = 20_000_000  # numbers held at once: bounds the memory, not the result


class LogisticRegressionBaseline(LabelBaseline):
    r"""Multinomial logistic regression on frozen text vectors, as scikit-learn's ``LogisticRegression`` has it.

    It minimises :math:`\frac{1}{2} \|W\|^2 - C \sum_r \ln \mathrm{softmax}(W x_r + b)_{y_r}` over the training rows
    ``r`` with text vectors ``x`` and labels ``y``. C is the one with the smallest log loss in 5-fold cross-validation.
    Folds are made of items: all rows of an item are in the same one. With fewer than ten items C is 1.

    Items beyond 40 million numbers, or 10^9 products of items, width and labels, are left out by a fixed seed;
    ``chosen`` then has the number of those that are left, ``items``. At a width of 384 these are 104,000 items of two
    labels and 33,000 of 77.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.
        inverse_penalties: Values of C to choose from, in rising order.

    Reference:
        Hastie, Tibshirani & Friedman 2009, The Elements of Statistical Learning,
        https://doi.org/10.1007/978-0-387-84858-7, section 4.4.

    Example:
        >>> train = LabelRows(user=np.zeros(4, np.int64), item=np.array([0, 0, 1, 1]), label=np.array([1, 1, 0, 0]))
        >>> baseline = LogisticRegressionBaseline(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]))
        >>> baseline.fit(train, num_items=3, num_labels=2)
        >>> nothing = SharedHistory(np.array([0, 0]), np.empty(0, np.int64), of_row=np.array([0, 0]))
        >>> baseline.predict(np.array([0, 2]), nothing).round(2).tolist()  # item 2 is like neither
        [[0.19, 0.81], [0.5, 0.5]]
    """

    name = "logistic_regression"

    def __init__(
        self, vectors: Float32s | Float64s, inverse_penalties: tuple[float, ...] = INVERSE_PENALTIES
    ) -> None:
        self.unit = np.asarray(vectors, np.float32)  # shared, where it is float32 already
        self.inverse_penalties = inverse_penalties

    def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        """Choose C, then fit all training rows."""
        items, counts = labels_of_items(train, num_labels)
        width = max(self.unit.shape[1], 1)
        most = min(_NUMBERS // width, _PRODUCTS // (width * num_labels))
        kept = sampled(len(items), max(most, _FEWEST))
        self.is_sampled = len(kept) < len(items)
        self.items = len(kept)
        regression = _SoftmaxRegression(self.unit[items[kept]], counts[kept])
        self.inverse_penalty, start = _chosen(regression, self.inverse_penalties)
        everything = np.ones(len(kept), bool)
        weights = regression.fitted(start, self.inverse_penalty, everything, tolerance=1e-7)
        self.weights, self.bias = regression.on_vectors(weights)

    def predict(self, item: Int64s, history: SharedHistory) -> Float64s:
        """Return the probabilities that the items' texts have."""
        items, place = np.unique(item, return_inverse=True)
        prob = np.empty((len(items), len(self.bias)))
        step = max(_BLOCK // (self.unit.shape[1] + 1), 1)
        for start in range(0, len(items), step):
            part = slice(start, start + step)
            prob[part] = _softmax(self.unit[items[part]] @ self.weights + self.bias)
        return prob[place]

    def chosen(self) -> dict[str, float]:
        """Return C, and the number of items where some are left out."""
        left = {"items": self.items} if self.is_sampled else {}
        return {"C": self.inverse_penalty, **left}


class _SoftmaxRegression:
    """Regression of label counts ``[n, K]`` on vectors ``[n, d]``; weights are flat, ``[(d + 1) * K]``, bias last.

    Vectors are centred and turned onto their principal axes, where the Hessian is nearly diagonal: that takes a few
    steps instead of hundreds. The minimum stays the same: the penalty is equal on all axes, and the bias is free.
    """

    def __init__(self, vectors: Float32s, counts: Float64s) -> None:
        self.counts = counts.astype(np.float32)
        self._rows = counts.sum(1)
        share = (self._rows / self._rows.sum()).astype(np.float32)
        self._centre = share @ vectors
        turned = vectors - self._centre
        spread, axes = np.linalg.eigh((turned.T @ (turned * share[:, None])).astype(np.float64))
        self._axes = axes.astype(np.float32)
        self._turned = turned @ self._axes  # [n, d]
        self._spread = np.append(spread.clip(0), 1.0)[:, None]  # [d + 1, 1] mean squares

    def start(self, mask: Bools) -> Float64s:
        """Return weights of 0 and the bias of the labels' frequencies."""
        count = self.counts[mask].sum(0, dtype=np.float64) + 1  # no label has a bias of -infinity
        bias = np.log(count / count.sum())
        return np.append(np.zeros((len(self._spread) - 1) * len(bias)), bias)

    def fitted(
        self, start: Float64s, inverse_penalty: float, mask: Bools, *, tolerance: float
    ) -> Float64s:
        """Return the weights fitted on the items of ``mask`` ``[n]``, beginning at ``start``."""
        penalty = np.full_like(self._spread, 1 / inverse_penalty)
        penalty[-1] = 0  # of the bias

        def objective(flat: Float64s) -> tuple[float, Float64s]:
            weights = flat.reshape(len(penalty), -1)
            scores = self._scores(flat)
            losses = self._losses(scores)
            error = self._rows[:, None].astype(np.float32) * _softmax(scores) - self.counts
            error[~mask] = 0
            slopes = self._turned.T @ error, error.sum(0, dtype=np.float64)[None]
            value = losses[mask].sum() + (penalty * weights**2).sum() / 2
            return float(value), (np.append(*slopes, axis=0) + penalty * weights).ravel()

        # how much the probability of each label varies: p (1 - p) is the curvature of the loss
        prob = _softmax(self._scores(start)[mask])
        varied = self._rows[mask] @ (prob * (1 - prob)) + 1e-6 * self._rows[mask].sum()
        curvature = (self._spread * varied + penalty).ravel()
        return minimum(objective, start, curvature, tolerance=tolerance)

    def loss(self, flat: Float64s, mask: Bools) -> float:
        """Return the log loss of the rows of the items of ``mask``, as a sum."""
        return float(self._losses(self._scores(flat))[mask].sum())

    def on_vectors(self, flat: Float64s) -> tuple[Float32s, Float32s]:
        """Return weights ``[d, K]`` and biases ``[K]`` for the vectors as they came."""
        turned = self._weights(flat)
        weights = self._axes @ turned[:-1]
        return weights, turned[-1] - self._centre @ weights

    def _weights(self, flat: Float64s) -> Float32s:
        return flat.astype(np.float32).reshape(len(self._spread), -1)

    def _scores(self, flat: Float64s) -> Float32s:
        weights = self._weights(flat)
        scores: Float32s = self._turned @ weights[:-1] + weights[-1]
        return scores

    def _losses(self, scores: Float32s) -> Float64s:
        """Return the log loss of each item's rows ``[n]``."""
        top = scores.max(1)
        total = np.log(np.exp(scores - top[:, None]).sum(1)) + top
        losses: Float64s = self._rows * total - (self.counts * scores).sum(1)
        return losses


def _chosen(
    regression: _SoftmaxRegression, inverse_penalties: tuple[float, ...]
) -> tuple[float, Float64s]:
    """Return C by cross-validation, and weights near those of a fit with it.

    C rises until the loss clearly does; each fit begins at the one before.
    """
    size = len(regression.counts)
    everything = np.ones(size, bool)
    if size < 2 * _FOLDS:
        return _WITHOUT_CHOICE, regression.start(everything)
    fold = np.random.default_rng(0).permutation(size) % _FOLDS
    weights = [regression.start(fold != held) for held in range(_FOLDS)]
    best, least = (inverse_penalties[0], weights), np.inf
    for inverse_penalty in inverse_penalties:
        weights = [
            regression.fitted(weights[held], inverse_penalty, fold != held, tolerance=3e-4)
            for held in range(_FOLDS)
        ]
        loss = sum(regression.loss(weights[held], fold == held) for held in range(_FOLDS))
        if loss > least * _WORSE:
            break
        if loss < least:
            best, least = (inverse_penalty, weights), loss
    return best[0], np.mean(best[1], axis=0)


def _softmax(scores: Float32s) -> Float32s:
    prob: Float32s = np.exp(scores - scores.max(1, keepdims=True))
    prob /= prob.sum(1, keepdims=True)
    return prob
