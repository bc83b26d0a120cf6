"""Multinomial logistic regression, with its penalty chosen by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools, Float32s, Float64s, Int64s
from lit_rec.models.linear.lbfgs import minimum

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


@dataclass(frozen=True)
class FittedRegression:
    """Logistic regression as it was fitted.

    Args:
        weights: ``[d, K]``.
        bias: ``[K]``.
        inverse_penalty: C.
        fitted: How many of the vectors it was fitted on.
    """

    weights: Float32s
    bias: Float32s
    inverse_penalty: float
    fitted: int


def logistic_regression(
    vectors: Float32s,
    counts: Float64s,
    inverse_penalties: tuple[float, ...] = INVERSE_PENALTIES,
    *,
    careful: bool = False,
) -> FittedRegression:
    r"""Fit multinomial logistic regression, as scikit-learn's ``LogisticRegression`` has it.

    It minimises :math:`\frac{1}{2} \|W\|^2 - C \sum_r \ln \mathrm{softmax}(W x_r + b)_{y_r}` over rows ``r`` with
    vectors ``x`` and labels ``y``. C is the one with the smallest log loss in 5-fold cross-validation over the vectors
    whose label has others; the vectors of a label are divided among the folds. With fewer than ten of them C is 1.

    Vectors beyond 40 million numbers, or 10^9 products of vectors, width and labels, are left out by a fixed seed. At a
    width of 384 these are 104,000 vectors with two labels and 33,000 with 77.

    Args:
        vectors: ``[n, d]``.
        counts: ``[n, K]``, how many rows of each label a vector has.
        inverse_penalties: Values of C to choose from, in rising order.
        careful: Whether C is the smallest whose loss is within one standard error of the smallest loss.

    Reference:
        Hastie, Tibshirani & Friedman 2009, The Elements of Statistical Learning,
        https://doi.org/10.1007/978-0-387-84858-7, sections 4.4 and 7.10 (one standard error).

    Example:
        >>> found = logistic_regression(np.eye(2, dtype=np.float32), np.eye(2))
        >>> found.weights.astype(float).round(2).tolist(), found.inverse_penalty
        ([[0.34, -0.34], [-0.34, 0.34]], 1.0)
    """
    most = fitted_at_most(vectors.shape[1], counts.shape[1])
    if len(vectors) > most:
        kept = sampled(len(vectors), most)
        vectors, counts = vectors[kept], counts[kept]
    regression = _SoftmaxRegression(vectors, counts)
    chosen, start = _chosen(regression, inverse_penalties, careful=careful)
    weights = regression.fitted(start, chosen, np.ones(len(vectors), bool), tolerance=1e-7)
    return FittedRegression(*regression.on_vectors(weights), chosen, len(vectors))


def fitted_at_most(width: int, labels: int) -> int:
    """Return how many vectors a regression is fitted on at most.

    Example:
        >>> fitted_at_most(384, 77), fitted_at_most(384, 2)
        (33820, 104166)
    """
    width = max(width, 1)
    return max(min(_NUMBERS // width, _PRODUCTS // (width * labels)), _FEWEST)


def sampled(size: int, most: int) -> Int64s:
    """Return at most ``most`` of the numbers below ``size``, drawn by a fixed seed, in rising order.

    Example:
        >>> sampled(3, most=5).tolist(), len(sampled(100, most=5))
        ([0, 1, 2], 5)
    """
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(0).choice(size, most, replace=False))


def softmax(scores: Float32s) -> Float32s:
    """Return probabilities ``[n, K]`` of scores.

    Example:
        >>> softmax(np.zeros((1, 2), np.float32)).tolist()
        [[0.5, 0.5]]
    """
    prob: Float32s = np.exp(scores - scores.max(1, keepdims=True))
    prob /= prob.sum(1, keepdims=True)
    return prob


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
            error = self._rows[:, None].astype(np.float32) * softmax(scores) - self.counts
            error[~mask] = 0
            slopes = self._turned.T @ error, error.sum(0, dtype=np.float64)[None]
            value = losses[mask].sum() + (penalty * weights**2).sum() / 2
            return float(value), (np.append(*slopes, axis=0) + penalty * weights).ravel()

        # how much the probability of each label varies: p (1 - p) is the curvature of the loss
        prob = softmax(self._scores(start)[mask])
        varied = self._rows[mask] @ (prob * (1 - prob)) + 1e-6 * self._rows[mask].sum()
        curvature = (self._spread * varied + penalty).ravel()
        return minimum(objective, start, curvature, tolerance=tolerance)

    def losses(self, flat: Float64s) -> Float64s:
        """Return the log loss of each item's rows ``[n]``."""
        return self._losses(self._scores(flat))

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


def _folds(label: Int64s) -> Int64s:
    """Return a fold for each vector ``[n]``; vectors of one label are divided among the folds as evenly as can be."""
    order = np.random.default_rng(0).permutation(len(label))
    order = order[np.argsort(label[order], kind="stable")]
    fold = np.empty(len(label), np.int64)
    fold[order] = np.arange(len(label)) % _FOLDS
    return fold


def _chosen(
    regression: _SoftmaxRegression, inverse_penalties: tuple[float, ...], *, careful: bool
) -> tuple[float, Float64s]:
    """Return C by cross-validation, and weights near those of a fit with it.

    C rises until the loss clearly does; each fit begins at the one before.
    """
    size = len(regression.counts)
    everything = np.ones(size, bool)
    if len(inverse_penalties) == 1:
        return inverse_penalties[0], regression.start(everything)
    # a fold that holds out the only vector of a label says nothing of it
    label = regression.counts.argmax(1)
    has_others = np.bincount(label)[label] > 1
    if has_others.sum() < 2 * _FOLDS:
        return _WITHOUT_CHOICE, regression.start(everything)
    fold = _folds(label)
    weights = [regression.start(fold != held) for held in range(_FOLDS)]
    least, bound = np.inf, np.inf
    tried: list[
        tuple[float, float, Float64s]
    ] = []  # C, loss and mean weights, of those that may be chosen
    for inverse_penalty in inverse_penalties:
        weights = [
            regression.fitted(weights[held], inverse_penalty, fold != held, tolerance=3e-4)
            for held in range(_FOLDS)
        ]
        losses = np.zeros(size)
        for held in range(_FOLDS):
            out = has_others & (fold == held)
            losses[out] = regression.losses(weights[held])[out]
        loss = float(losses.sum())
        if loss > least * _WORSE:
            break
        if loss < least:
            least = loss
            error = float(losses[has_others].std() * has_others.sum() ** 0.5)
            bound = loss + (error if careful else 0.0)
        tried.append((inverse_penalty, loss, np.mean(weights, axis=0)))
    inverse_penalty, _, start = next(one for one in tried if one[1] <= bound)
    return inverse_penalty, start
