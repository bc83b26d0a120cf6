"""Plain baselines, fitted on the training rows that the model had."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from lit_rec.evaluation.rows import Floats, Ints, RaggedHistory, RatingRows

# Shrinkage of item and user biases; Koren (2010) has 25 and 10 for Netflix, whose items have far more ratings.
ITEM_SHRINKAGE = 5.0
USER_SHRINKAGE = 5.0


class Baseline(ABC):
    """A model without training steps."""

    name: ClassVar[str]

    @abstractmethod
    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Take what is needed from the training rows; those without a rating teach nothing."""

    @abstractmethod
    def predict(self, user: Ints, item: Ints, history: RaggedHistory) -> Floats:
        """Return a rating per row ``[R]``.

        Args:
            user: ``[R]`` codes.
            item: ``[R]`` codes.
            history: What the model saw of each row's user.
        """


class MeanBaseline(Baseline):
    """The mean of all training ratings."""

    name = "mean"

    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Take the mean."""
        self.mean = float(train.rated().rating.mean())

    def predict(self, user: Ints, item: Ints, history: RaggedHistory) -> Floats:
        """Return the mean for every row."""
        return np.full(len(user), self.mean)


class UserItemBiasBaseline(Baseline):
    """Mean + item bias + user bias, each a shrunk mean of what the former leave; 0 for what training never saw.

    Reference:
        Koren 2010, Factor in the neighbors, https://doi.org/10.1145/1644873.1644874, section 2.1.
    """

    name = "user_item_bias"

    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Fit items first, then users."""
        train = train.rated()
        self.mean = float(train.rating.mean())
        residual = train.rating - self.mean
        self.item = shrunk_mean(train.item, residual, num_items, ITEM_SHRINKAGE)
        self.user = shrunk_mean(
            train.user, residual - self.item[train.item], num_users, USER_SHRINKAGE
        )

    def predict(self, user: Ints, item: Ints, history: RaggedHistory) -> Floats:
        """Return mean + biases."""
        return self.mean + self.item[item] + self.user[user]


class HistoryBiasBaseline(UserItemBiasBaseline):
    """The same, with the user's bias taken from the row's own history: it holds for users whom training never saw.

    Where a history reaches beyond the training rows this is the harder baseline, for it knows of the user what the model knows.
    """

    name = "history_bias"

    def predict(self, user: Ints, item: Ints, history: RaggedHistory) -> Floats:
        """Return mean + item bias + the history's shrunk mean residual."""
        return self.mean + self.item[item] + self.history_bias(history)

    def history_bias(self, history: RaggedHistory) -> Floats:
        """Return each row's user bias ``[R]``."""
        rated = history.rated()
        residual = rated.rating - self.mean - self.item[rated.item]
        return shrunk_mean(rated.row, residual, len(history.offsets) - 1, USER_SHRINKAGE)


def shrunk_mean(group: Ints, value: Floats, groups: int, shrinkage: float) -> Floats:
    """Return ``sum / (count + shrinkage)`` of each group.

    Example:
        >>> shrunk_mean(np.array([0, 0, 2]), np.array([1.0, 3.0, 4.0]), 3, 2.0).tolist()
        [1.0, 0.0, 1.3333333333333333]
    """
    total = np.bincount(group, value, minlength=groups)
    return total / (np.bincount(group, minlength=groups) + shrinkage)
