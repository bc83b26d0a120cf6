"""matrix_factorisation: ratings as inner products of factors of users and items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lit_rec.data.arrays import Bools, Float32s, Float64s, Int64s
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial
from lit_rec.evaluation.baselines.ratings import Baseline

# To choose from; the first where too few rows are held out, or there are too many rows. A prior of users that depends
# on what they rated (the implicit terms of SVD++) was tried and left out: with rank 10 on validation rows of MovieLens
# 100K it gave 0.919 -> 0.917 on fold u1, and 0.981 -> 0.986 or worse on new users.
_RANKS = (8, 4, 16)
# How often both sides are solved. MovieLens 100K, validation RMSE after 5, 8, 12 and 20 rounds with rank 8: 0.911,
# 0.906, 0.905, 0.904 on fold u1, and 0.935, 0.934, 0.933, 0.933 by time.
_ROUNDS, _FEW_ROUNDS = 12, 6
_CHOICE = 2_000_000  # most training rows for which ranks are compared and all rounds are made
_BLOCK = 4_000_000  # numbers held at once: bounds the memory, not the result


@dataclass(frozen=True)
class _Prior:
    """A normal distribution: ``mean`` ``[k]``, ``precision`` ``[k, k]``."""

    mean: Float64s
    precision: Float64s


@dataclass(frozen=True)
class _Side:
    """What is believed of the biases and factors of n users or items.

    Shape:
        mean: ``[n, k]``, the bias first. spread: ``[n, k (k + 1) / 2]``, the upper triangles of the covariances.
    """

    mean: Float64s
    spread: Float32s


@dataclass(frozen=True)
class _Moments:
    """The expectations that a regression on a side needs; g = (1, factors).

    Shape:
        square: ``[n, k (k + 1) / 2]``, of ``g g^T``. crossed: ``[n, k]``, of g times the bias. regressors: ``[n, k]``,
            of g. bias: ``[n]``. bias_square: ``[n]``.
    """

    square: Float64s
    crossed: Float64s
    regressors: Float64s
    bias: Float64s
    bias_square: Float64s


@dataclass(frozen=True)
class _Rated:
    """Ratings without their mean, n groups end to end: what each of a side's users or items has.

    Shape:
        counts: ``[n]``. other: ``[S]``, the codes of the other side. rating: ``[S]``.
    """

    counts: Int64s
    other: Int64s
    rating: Float64s


class MatrixFactorisationBaseline(Baseline):
    """``r_ui = mean + b_u + b_i + p_u . q_i``, with the user's bias and factors from the row's own history.

    Users and items have normal priors with full covariance; covariances and the noise are estimated from the training
    rows, so there is no penalty to choose. Instead of points, distributions are fitted (variational Bayes, by
    alternating least squares that add covariances to the squares): what few ratings say of an item counts little. The
    prediction of a row solves the same regression of the user on the items of its history. So a user of whom training
    has no row is known as well as any other. An item of which training has no row is as the mean training row's.

    With more than two million training rows, ranks are not compared: it is 8; and rounds are 6 at most. ``chosen`` says
    so.

    Args:
        trial: The rank is the one by which its rest predicts its held-out rows best.
        rounds: How often both sides are solved.

    Reference:
        Lim & Teh 2007, Variational Bayesian approach to movie rating prediction, KDD Cup and Workshop. Koren, Bell &
        Volinsky 2009, Matrix factorization techniques for recommender systems, https://doi.org/10.1109/MC.2009.263.

    Example:
        >>> user, item = np.divmod(np.arange(200), 10)  # 20 users, 10 items
        >>> taste = np.where(user % 2 == item % 2, 5.0, 1.0)
        >>> baseline = MatrixFactorisationBaseline()
        >>> baseline.fit(RatingRows(user, item, taste), num_users=20, num_items=10)
        >>> seen = RaggedHistory(np.array([0, 2, 4]), np.array([0, 1, 0, 1]), np.array([5.0, 1.0, 5.0, 1.0]))
        >>> baseline.predict(np.array([-1, -1]), np.array([2, 3]), seen).round().tolist()  # somebody new, who likes 0
        [5.0, 1.0]
    """

    name = "matrix_factorisation"

    def __init__(self, trial: RatingTrial | None = None, rounds: int = _ROUNDS) -> None:
        self.trial, self.rounds = trial, rounds
        self.rank, self.compared = _RANKS[0], 0

    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Choose the rank on the trial, then learn from all training rows."""
        if self.trial is not None and len(self.trial.held.rating):
            held, errors, found = self.trial.held, {}, {}
            for self.rank in _RANKS if len(train.rating) <= _CHOICE else _RANKS[:1]:
                self.learn(self.trial.rest, num_users, num_items)
                found[self.rank] = self.predict(held.user, held.item, self.trial.history)
                errors[self.rank] = float(np.sum((held.rating - found[self.rank]) ** 2))
            self.rank = min(errors, key=errors.__getitem__)
            self.held_prediction, self.compared = found[self.rank], len(errors)
        self.learn(train.rated(), num_users, num_items)

    def learn(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Fit rows that all have a rating, by the rank as it is."""
        self.mean = float(train.rating.mean())
        of_user = _grouped(train.user, train.item, train.rating - self.mean, num_users)
        of_item = _grouped(train.item, train.user, train.rating - self.mean, num_items)
        size = self.rank + 1
        variance = float(np.var(train.rating)) or 1.0
        # at the start, biases have a sixth of the variance each, inner products a third, and the noise the rest
        start = np.full(size, (variance / 3 / self.rank) ** 0.5)
        start[0] = variance / 6
        self.users = items = _Prior(np.zeros(size), np.diag(1 / start))
        self.noise = variance / 3
        item_side = _start(num_items, start)
        known = of_item.counts > 0
        self.made = min(self.rounds, _FEW_ROUNDS) if len(train.rating) > _CHOICE else self.rounds
        for _ in range(self.made):
            user_side, _ = _solved(of_user, _moments(item_side), self.users, self.noise)
            item_side, error = _solved(of_item, _moments(user_side), items, self.noise)
            # a little noise always stays, or ratings that are all the same would divide by zero
            self.noise = max(error / len(train.rating), 1e-6)
            self.users, items = _prior(user_side, of_user.counts > 0), _prior(item_side, known)
        mean = np.average(item_side.mean, axis=0, weights=of_item.counts)
        self.items = np.where(known[:, None], item_side.mean, mean)
        self.moments = _moments(_Side(self.items, item_side.spread))

    def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return the ratings."""
        rated = history.rated()
        seen = _Rated(np.diff(rated.offsets), rated.item, rated.rating - self.mean)
        folded = _solved(seen, self.moments, self.users, self.noise)[0].mean
        factors = self.items[item]
        inner: Float64s = (folded[:, 1:] * factors[:, 1:]).sum(1)
        return inner + self.mean + folded[:, 0] + factors[:, 0]

    def chosen(self) -> dict[str, Any]:
        """Return the rank, how many were compared, and the rounds that were made."""
        return {"rank": self.rank, "ranks_compared": self.compared, "rounds": self.made}


def _solved(rated: _Rated, other: _Moments, prior: _Prior, noise: float) -> tuple[_Side, float]:
    """Return what the ratings say of n users or items if the other side is as believed, and their expected error.

    The error is the sum of the expected squares of what is not explained.
    """
    size, count = len(prior.mean), len(rated.counts)
    first, second = np.triu_indices(size)
    full = np.zeros((size, size), np.int64)
    full[first, second] = full[second, first] = np.arange(len(first))
    side = _Side(np.zeros((count, size)), np.zeros((count, len(first)), np.float32))
    error = 0.0
    for part, slots in _blocks(rated.counts, len(first)):
        counts, code, rating = rated.counts[part], rated.other[slots], rated.rating[slots]
        squares = _sums(other.square[code], counts)[:, full]  # [n, k, k]
        moment = other.regressors[code] * rating[:, None] - other.crossed[code]
        moment = _sums(moment, counts)
        covariance = np.linalg.inv(prior.precision + squares / noise)
        right = prior.precision @ prior.mean + moment / noise
        mean = np.einsum("nij,nj->ni", covariance, right)
        side.mean[part], side.spread[part] = mean, covariance[:, first, second]
        expected = covariance + mean[:, :, None] * mean[:, None, :]
        error += float((expected * squares).sum() - 2 * (mean * moment).sum())
        error += float((rating * (rating - 2 * other.bias[code]) + other.bias_square[code]).sum())
    return side, error


def _moments(side: _Side) -> _Moments:
    """Return what a regression on a side needs."""
    size = side.mean.shape[1]
    first, second = np.triu_indices(size)
    regressors = side.mean.copy()
    regressors[:, 0] = 1.0
    square = regressors[:, first] * regressors[:, second]
    square += np.where(first > 0, side.spread, 0.0)  # the constant has no spread
    crossed = regressors * side.mean[:, :1]
    crossed[:, 1:] += side.spread[:, 1:size]
    bias = side.mean[:, 0]
    return _Moments(square, crossed, regressors, bias, bias**2 + side.spread[:, 0])


def _prior(side: _Side, known: Bools) -> _Prior:
    """Return the normal distribution of those that have ratings."""
    size = side.mean.shape[1]
    upper = np.triu_indices(size)
    mean = side.mean[known].mean(0)
    spread = np.zeros((size, size))
    spread[upper] = spread.T[upper] = side.spread[known].mean(0)
    centred = side.mean[known] - mean
    covariance = spread + centred.T @ centred / len(centred)
    return _Prior(mean, np.linalg.inv(covariance + 1e-6 * np.eye(size)))


def _start(count: int, variance: Float64s) -> _Side:
    """Return random factors without biases: equal ones would stay equal."""
    mean = np.random.default_rng(0).normal(0.0, variance**0.5, (count, len(variance)))
    mean[:, 0] = 0.0
    return _Side(mean, np.zeros((count, len(variance) * (len(variance) + 1) // 2), np.float32))


def _grouped(group: Int64s, other: Int64s, rating: Float64s, count: int) -> _Rated:
    order = np.argsort(group, kind="stable")
    return _Rated(np.bincount(group, minlength=count), other[order], rating[order])


def _blocks(counts: Int64s, width: int) -> Iterator[tuple[slice, slice]]:
    """Yield groups and their slots, so that a block has at most ``_BLOCK`` numbers, or one group alone."""
    ends = np.cumsum(counts)
    # a group without slots takes memory as well
    cost = np.cumsum(counts + 4) * width
    start, slot = 0, 0
    while start < len(counts):
        spent = int(cost[start - 1]) if start else 0
        end = max(int(np.searchsorted(cost, spent + _BLOCK, side="right")), start + 1)
        yield slice(start, end), slice(slot, int(ends[end - 1]))
        start, slot = end, int(ends[end - 1])


def _sums(values: Float64s, counts: Int64s) -> Float64s:
    """Return the sum of each group's ``values`` ``[S, w]``: ``[n, w]``."""
    total = np.zeros((len(counts), values.shape[1]))
    filled = counts > 0
    if len(values):
        total[filled] = np.add.reduceat(values, (np.cumsum(counts) - counts)[filled], axis=0)
    return total
