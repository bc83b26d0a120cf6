"""Plain baselines of labels, fitted on the model's training rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines.ratings import tenth
from lit_rec.evaluation.metrics.labels import log_loss
from lit_rec.models.linear.softmax_regression import sampled

# The strongest are for clicks, which are rare among shown items. The first is used where there are too few training
# rows to hold any out.
SHRINKAGES = (3.0, 1.0, 5.0, 10.0, 25.0, 100.0, 300.0)
_HELD = 20_000  # rows that choose a shrinkage: bounds the time


class LabelBaseline(ABC):
    """A model of labels without training steps.

    Example:
        >>> class Always(LabelBaseline):
        ...     name = "always"
        ...     def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        ...         pass
        ...     def predict(self, item: Int64s, history: SharedHistory) -> Float64s:
        ...         return np.tile([0.0, 1.0], (len(item), 1))
        >>> Always().predict(np.array([7]), SharedHistory(np.zeros(2), np.empty(0), np.array([0]))).tolist()
        [[0.0, 1.0]]
    """

    name: ClassVar[str]

    @abstractmethod
    def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        """Fit the training rows; rows without a label are ignored."""

    @abstractmethod
    def predict(self, item: Int64s, history: SharedHistory) -> Float64s:
        """Return probabilities ``[R, K]``; or scores ``[R]`` of the second of two labels, for a model that only ranks.

        Args:
            item: ``[R]`` codes.
            history: What the model saw of each row's user.
        """

    def chosen(self) -> dict[str, float]:
        """Return the options that ``fit`` chose on training rows, by name; none by default."""
        return {}


class MajorityBaseline(LabelBaseline):
    """The training frequencies of the labels.

    Example:
        >>> train = LabelRows(user=np.zeros(4, np.int64), item=np.array([0, 0, 1, 1]), label=np.array([1, 1, 0, 1]))
        >>> nothing = SharedHistory(np.array([0, 0]), np.empty(0, np.int64), of_row=np.array([0]))
        >>> baseline = MajorityBaseline()
        >>> baseline.fit(train, num_items=2, num_labels=2)
        >>> baseline.predict(np.array([0]), nothing).tolist()
        [[0.25, 0.75]]
    """

    name = "majority"

    def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        """Count."""
        self.frequency = frequencies(train.labelled().label, num_labels)

    def predict(self, item: Int64s, history: SharedHistory) -> Float64s:
        """Return the frequencies for every row."""
        return np.tile(self.frequency, (len(item), 1))


class ItemLabelFrequencyBaseline(LabelBaseline):
    """The item's label frequencies, shrunk towards those of all rows; a new item has those of all rows.

    The shrinkage is the one with which nine tenths of the training rows predict the last tenth best, or at most 20,000
    rows of it.

    Example:
        >>> train = LabelRows(user=np.zeros(4, np.int64), item=np.array([0, 0, 1, 1]), label=np.array([1, 1, 0, 1]))
        >>> nothing = SharedHistory(np.array([0, 0]), np.empty(0, np.int64), of_row=np.array([0]))
        >>> baseline = ItemLabelFrequencyBaseline()
        >>> baseline.fit(train, num_items=3, num_labels=2)
        >>> baseline.predict(np.array([0]), nothing).tolist()  # (2 + 3 * 0.75) / (2 + 3) is the second
        [[0.15, 0.85]]
    """

    name = "item_label_frequency"

    def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        """Choose the shrinkage, then count."""
        train = train.labelled()
        held = tenth(len(train.label))
        out = train.where(held)
        out = out.where(sampled(len(out.label), _HELD))
        items, place = np.unique(out.item, return_inverse=True)
        counts = label_counts(train.where(~held), num_items, num_labels)
        prior = self.prior(counts, items)
        losses = {
            shrinkage: log_loss(shrunk(counts[items], prior, shrinkage)[place], out.label)
            for shrinkage in SHRINKAGES
        }
        self.shrinkage = min(losses, key=losses.__getitem__)
        self.counts = label_counts(train, num_items, num_labels)

    def predict(self, item: Int64s, history: SharedHistory) -> Float64s:
        """Return the shrunk frequencies."""
        items, place = np.unique(item, return_inverse=True)
        return shrunk(self.counts[items], self.prior(self.counts, items), self.shrinkage)[place]

    def chosen(self) -> dict[str, float]:
        """Return the shrinkage."""
        return {"shrinkage": self.shrinkage}

    def prior(self, counts: Float64s, items: Int64s) -> Float64s:
        """Return the frequencies ``[n, K]`` that the items' own labels are shrunk towards.

        Args:
            counts: ``[I, K]``, how often each item has each label.
            items: ``[n]`` codes.
        """
        total = counts.sum(0)
        return np.tile(total / total.sum(), (len(items), 1))


class PopularityBaseline(LabelBaseline):
    """How often the item has the second of two labels: its number of clicks, for example.

    Example:
        >>> train = LabelRows(user=np.zeros(4, np.int64), item=np.array([0, 0, 1, 1]), label=np.array([1, 1, 0, 1]))
        >>> nothing = SharedHistory(np.array([0, 0]), np.empty(0, np.int64), of_row=np.array([0]))
        >>> baseline = PopularityBaseline()
        >>> baseline.fit(train, num_items=2, num_labels=2)
        >>> baseline.predict(np.array([0]), nothing).tolist()
        [2.0]
    """

    name = "popularity"

    def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        """Count."""
        self.count = np.bincount(train.item[train.label == 1], minlength=num_items)

    def predict(self, item: Int64s, history: SharedHistory) -> Float64s:
        """Return the counts."""
        return self.count[item].astype(np.float64)


def frequencies(label: Int64s, num_labels: int) -> Float64s:
    """Return the share of each label ``[K]``.

    Example:
        >>> frequencies(np.array([0, 2, 2, 2]), 3).tolist()
        [0.25, 0.0, 0.75]
    """
    return np.bincount(label, minlength=num_labels) / len(label)


def labels_of_items(train: LabelRows, num_labels: int) -> tuple[Int64s, Float64s]:
    """Return the items that have labels ``[n]``, in rising order, and how often each has each label ``[n, K]``.

    Example:
        >>> labels_of_items(LabelRows(np.zeros(3), item=np.array([7, 4, 7]), label=np.array([1, 0, 1])), 2)
        (array([4, 7]), array([[1., 0.],
               [0., 2.]]))
    """
    train = train.labelled()
    items, place = np.unique(train.item, return_inverse=True)
    place = place.astype(np.int64)
    return items, label_counts(LabelRows(train.user, place, train.label), len(items), num_labels)


def label_counts(rows: LabelRows, num_items: int, num_labels: int) -> Float64s:
    """Count how often each item has each label ``[I, K]``; every row must have a label."""
    code = rows.item * num_labels + rows.label
    counts = np.bincount(code, minlength=num_items * num_labels).reshape(num_items, num_labels)
    return counts.astype(np.float64)


def shrunk(counts: Float64s, prior: Float64s, shrinkage: float) -> Float64s:
    """Return probabilities ``[n, K]`` from counts plus ``shrinkage`` rows distributed as ``prior``, ``[n, K]`` each.

    Example:
        >>> shrunk(np.array([[3.0, 1.0]]), np.array([[0.5, 0.5]]), 4.0).tolist()
        [[0.625, 0.375]]
    """
    shares: Float64s = (counts + shrinkage * prior) / (counts.sum(1, keepdims=True) + shrinkage)
    return shares
