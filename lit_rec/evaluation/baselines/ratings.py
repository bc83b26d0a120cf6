"""Plain baselines of ratings, fitted on the model's training rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from lit_rec.data.arrays import Bools, Float64s, Int64s
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial

# Shrinkages of item and user biases to choose from. Koren (2010) has 25 and 10 for Netflix, whose items have far more
# ratings than those of MovieLens 100K, for which 3 and 5 are chosen. The first ones are used where there are too few
# training rows to hold any out.
ITEM_SHRINKAGES = (3.0, 1.0, 5.0, 10.0, 25.0)
USER_SHRINKAGES = (5.0, 1.0, 3.0, 10.0, 25.0)


class Baseline(ABC):
    """A model without training steps.

    Attributes:
        name: Its name in the report.
        held_prediction: ``[N]``, what it predicts of a trial's held-out rows if it is fitted on the rest; empty: it has
            no trial, or nothing is held out.

    Example:
        >>> class FiveStars(Baseline):
        ...     name = "five_stars"
        ...     def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        ...         pass
        ...     def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        ...         return np.full(len(user), 5.0)
        >>> nothing = RaggedHistory(np.zeros(2), np.empty(0), np.empty(0))
        >>> FiveStars().predict(np.array([0]), np.array([1]), nothing).tolist()
        [5.0]
    """

    name: ClassVar[str]
    held_prediction: Float64s = np.empty(0)

    @abstractmethod
    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Fit the training rows; rows without a rating are ignored."""

    @abstractmethod
    def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return a rating per row ``[R]``.

        Args:
            user: ``[R]`` codes.
            item: ``[R]`` codes.
            history: What the model saw of each row's user.
        """

    def chosen(self) -> dict[str, Any]:
        """Return the options that ``fit`` chose on the training rows, by name, and what was approximated."""
        return {}


class MeanBaseline(Baseline):
    """The mean of all training ratings.

    Example:
        >>> train = RatingRows(user=np.array([0, 0, 1]), item=np.array([0, 1, 0]), rating=np.array([5.0, 3.0, 4.0]))
        >>> nothing = RaggedHistory(np.zeros(2, np.int64), np.empty(0, np.int64), np.empty(0))  # of one row
        >>> baseline = MeanBaseline()
        >>> baseline.fit(train, num_users=2, num_items=2)
        >>> baseline.predict(np.array([1]), np.array([1]), nothing).tolist()
        [4.0]
    """

    name = "mean"

    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Take the mean."""
        self.mean = float(train.rated().rating.mean())

    def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return the mean for every row."""
        return np.full(len(user), self.mean)


class UserItemBiasBaseline(Baseline):
    """Mean + item bias + user bias, each a shrunk mean of the residual; 0 for new items and users.

    The shrinkages are those with which nine tenths of the training rows predict the last tenth best.

    Reference:
        Koren 2010, Factor in the neighbors, https://doi.org/10.1145/1644873.1644874, section 2.1.

    Example:
        >>> train = RatingRows(user=np.array([0, 0, 1]), item=np.array([0, 1, 0]), rating=np.array([5.0, 3.0, 4.0]))
        >>> nothing = RaggedHistory(np.zeros(2, np.int64), np.empty(0, np.int64), np.empty(0))  # of one row
        >>> baseline = UserItemBiasBaseline()
        >>> baseline.fit(train, num_users=2, num_items=2)
        >>> baseline.item.tolist()  # item 0: (1 + 0) / (2 + 3), item 1: -1 / (1 + 3)
        [0.2, -0.25]
        >>> baseline.predict(np.array([1]), np.array([1]), nothing).round(4).tolist()  # 4 - 0.25 - 0.2 / (1 + 5)
        [3.7167]
    """

    name = "user_item_bias"

    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Choose the shrinkages, then fit items, then users."""
        train = train.rated()
        held = tenth(len(train.rating))
        self.item_shrinkage, self.user_shrinkage = _best_shrinkages(
            train.where(~held), train.where(held), num_users, num_items
        )
        self.mean = float(train.rating.mean())
        residual = train.rating - self.mean
        self.item = shrunk_mean(train.item, residual, num_items, self.item_shrinkage)
        self.user = shrunk_mean(
            train.user, residual - self.item[train.item], num_users, self.user_shrinkage
        )

    def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return mean + biases."""
        return self.mean + self.item[item] + self.user[user]

    def chosen(self) -> dict[str, Any]:
        """Return the shrinkages."""
        return {"item_shrinkage": self.item_shrinkage, "user_shrinkage": self.user_shrinkage}


class HistoryBiasBaseline(UserItemBiasBaseline):
    """The same, with the user's bias from the row's own history: it also holds for new users.

    Where a history goes beyond the training rows, this is the harder baseline: it knows as much of the user as the
    model.

    Args:
        trial: The shrinkage of the user's bias is the one that predicts its held-out rows best; None, or no rows held
            out: that of the training users.

    Example:
        >>> train = RatingRows(user=np.array([0, 0, 1]), item=np.array([0, 1, 0]), rating=np.array([5.0, 3.0, 4.0]))
        >>> offsets = np.array([0, 1])  # one row
        >>> seen = RaggedHistory(offsets, item=np.array([0]), rating=np.array([5.0]))  # its user gave item 0 five
        >>> baseline = HistoryBiasBaseline()
        >>> baseline.fit(train, num_users=2, num_items=2)
        >>> baseline.predict(np.array([-1]), np.array([1]), seen).round(4).tolist()  # 4 - 0.25 + (5 - 4.2) / (1 + 5)
        [3.8833]
    """

    name = "history_bias"

    def __init__(self, trial: RatingTrial | None = None) -> None:
        self.trial = trial
        self.history_shrinkage: float | None = None

    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Choose the options on the trial, then learn from all training rows."""
        if self.trial is not None and len(self.trial.held.rating):
            self.learn(self.trial.rest, num_users, num_items)
            self.choose(self.trial)
            held = self.trial.held
            self.held_prediction = self.predict(held.user, held.item, self.trial.history)
        self.learn(train.rated(), num_users, num_items)

    def learn(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Fit rows that all have a rating, by the options as they are."""
        super().fit(train, num_users, num_items)

    def choose(self, trial: RatingTrial) -> None:
        """Choose the options by which ``trial.held`` is predicted best from what was learned."""
        left = trial.held.rating - self.mean - self.item[trial.held.item]
        errors = {}
        for self.history_shrinkage in USER_SHRINKAGES:
            errors[self.history_shrinkage] = np.sum((left - self.history_bias(trial.history)) ** 2)
        self.history_shrinkage = min(errors, key=errors.__getitem__)

    def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return mean + item bias + the history's shrunk mean residual."""
        return self.mean + self.item[item] + self.history_bias(history)

    def history_bias(self, history: RaggedHistory) -> Float64s:
        """Return each row's user bias ``[R]``."""
        rated = history.rated()
        residual = rated.rating - self.mean - self.item[rated.item]
        shrinkage = self.history_shrinkage or self.user_shrinkage
        return shrunk_mean(rated.row, residual, len(history.offsets) - 1, shrinkage)

    def chosen(self) -> dict[str, Any]:
        """Return the shrinkages; ``history_shrinkage`` is that of the user's bias."""
        own = self.history_shrinkage or self.user_shrinkage
        return {"item_shrinkage": self.item_shrinkage, "history_shrinkage": own}


def _best_shrinkages(
    train: RatingRows, held: RatingRows, num_users: int, num_items: int
) -> tuple[float, float]:
    """Return the shrinkages of items and users with which biases fitted on ``train`` predict ``held`` best."""
    mean = train.rating.mean()
    residual = train.rating - mean
    errors = {}
    for of_item in ITEM_SHRINKAGES:
        item = shrunk_mean(train.item, residual, num_items, of_item)
        left = residual - item[train.item]
        held_left = held.rating - mean - item[held.item]
        for of_user in USER_SHRINKAGES:
            user = shrunk_mean(train.user, left, num_users, of_user)
            errors[of_item, of_user] = float(np.sum((held_left - user[held.user]) ** 2))
    return min(errors, key=errors.__getitem__)


def tenth(size: int) -> Bools:
    """Return a mask ``[size]`` of a tenth, rounded down, drawn by a fixed seed.

    A baseline's own options are chosen on it.

    Example:
        >>> int(tenth(59).sum())
        5
    """
    mask = np.zeros(size, bool)
    mask[np.random.default_rng(0).permutation(size)[: size // 10]] = True
    return mask


def shrunk_mean(group: Int64s, value: Float64s, groups: int, shrinkage: float) -> Float64s:
    """Return ``sum / (count + shrinkage)`` of each group.

    Example:
        >>> shrunk_mean(np.array([0, 0, 2]), np.array([1.0, 3.0, 4.0]), 3, 2.0).tolist()
        [1.0, 0.0, 1.3333333333333333]
    """
    total = np.bincount(group, value, minlength=groups)
    return total / (np.bincount(group, minlength=groups) + shrinkage)
