"""Baselines of labels on text vectors of the pretrained encoder: neighbours, and the history's mean."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Float32s, Float64s, Int64s
from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines.labels import (
    ItemLabelFrequencyBaseline,
    LabelBaseline,
    labels_of_items,
    shrunk,
)
from lit_rec.models.linear.softmax_regression import sampled

# What the options of votes are chosen from; the first of each is used where there are too few items to choose by.
NEIGHBOURS = (5, 1, 10, 20, 50)
POWERS = (1.0, 4.0, 16.0)
SHRINKAGES_OF_VOTES = (1.0, 0.01, 0.1, 10.0)
_FOLDS = 5
_VOTERS = 50_000  # items that may vote: bounds the time for a large catalogue
_ASKED = 5_000  # items that choose the options
_SMALLEST = float(np.finfo(np.float32).eps)  # probability: one wrong text does not decide alone
_BLOCK = 20_000_000  # numbers held at once: bounds the memory, not the result


class TextLabelKnnBaseline(ItemLabelFrequencyBaseline):
    r"""Labels of the training items with similar texts, and the item's own training labels.

    The k nearest other items vote for the labels of their training rows. Each row's vote weighs
    :math:`\max(0, \cos)^p`; s more votes are distributed as all training rows are. The item's own label frequencies
    are shrunk towards the votes.

    k, p and s are those with the smallest log loss in 5-fold cross-validation. Folds are made of items, and only items
    of the other four vote. The last shrinkage is the one that predicts a tenth of the training rows best. With fewer
    than ten items k, p and s are the first values.

    At most 50,000 items vote, and at most 5,000 choose the options, drawn by a fixed seed. Where some are left out,
    ``chosen`` has the number of those that vote, ``items``.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.
        neighbours: Values of k to choose from.
        powers: Values of p.
        shrinkages_of_votes: Values of s.

    Reference:
        Dudani 1976, The distance-weighted k-nearest-neighbor rule, https://doi.org/10.1109/TSMC.1976.5408784.

    Example:
        >>> train = LabelRows(user=np.zeros(4, np.int64), item=np.array([0, 0, 1, 1]), label=np.array([1, 1, 0, 0]))
        >>> baseline = TextLabelKnnBaseline(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
        >>> baseline.fit(train, num_items=3, num_labels=2)
        >>> nothing = SharedHistory(np.array([0, 0]), np.empty(0, np.int64), of_row=np.array([0]))
        >>> found = baseline.predict(np.array([2]), nothing)  # two votes of item 0, and one vote that is half and half
        >>> found.round(4).tolist()
        [[0.1667, 0.8333]]
    """

    name = "text_knn"

    def __init__(
        self,
        vectors: Float32s | Float64s,
        neighbours: tuple[int, ...] = NEIGHBOURS,
        powers: tuple[float, ...] = POWERS,
        shrinkages_of_votes: tuple[float, ...] = SHRINKAGES_OF_VOTES,
    ) -> None:
        self.unit = np.asarray(vectors, np.float32)  # shared, where it is float32 already
        self.options = neighbours, powers, shrinkages_of_votes

    def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        """Choose the options of the votes, then the shrinkage towards them."""
        items, counts = labels_of_items(train, num_labels)
        kept = sampled(len(items), _VOTERS)
        self.voters, self.is_sampled = items[kept], len(kept) < len(items)
        self.neighbours, self.power, self.shrinkage_of_votes = self._choice(counts[kept])
        super().fit(train, num_items, num_labels)

    def chosen(self) -> dict[str, float]:
        """Return k, p, s and the shrinkage towards the votes; ``items`` that vote where some are left out."""
        return {
            "neighbours": self.neighbours,
            "power": self.power,
            "shrinkage_of_votes": self.shrinkage_of_votes,
            **super().chosen(),
            **({"items": len(self.voters)} if self.is_sampled else {}),
        }

    def prior(self, counts: Float64s, items: Int64s) -> Float64s:
        """Return the neighbours' votes, shrunk ``[n, K]``."""
        voters = self.voters[counts[self.voters].any(1)]  # the others' rows are all held out
        # an item is not its own neighbour
        near, cosine = self._nearest(items, voters, items, voters, self.neighbours)
        votes = np.zeros((len(items), counts.shape[1]))
        for of, weight in zip(near.T, cosine.T**self.power, strict=True):
            votes += counts[voters[of]] * weight[:, None]
        return shrunk(votes, super().prior(counts, items), self.shrinkage_of_votes)

    def _choice(self, counts: Float64s) -> tuple[int, float, float]:
        """Return k, p and s by cross-validation over the voters, whose labels are ``counts`` ``[J, K]``."""
        neighbours, powers, shrinkages = self.options
        size = len(counts)
        if size < 2 * _FOLDS:
            return neighbours[0], powers[0], shrinkages[0]
        fold = np.random.default_rng(0).permutation(size) % _FOLDS
        asked = sampled(size, _ASKED)
        near, cosine = self._nearest(
            self.voters[asked], self.voters, fold[asked], fold, max(neighbours)
        )
        total = np.stack([counts[fold != held].sum(0) for held in range(_FOLDS)])
        prior = (total / total.sum(1, keepdims=True))[fold[asked]]
        losses = {}
        for power in powers:
            votes, first = np.zeros(prior.shape), 0
            for last in sorted(neighbours):
                for of, weight in zip(near.T[first:last], cosine.T[first:last], strict=True):
                    votes += counts[of] * weight[:, None] ** power
                first = last
                for shrinkage in shrinkages:
                    prob = shrunk(votes, prior, shrinkage).clip(_SMALLEST)
                    losses[last, power, shrinkage] = -float((counts[asked] * np.log(prob)).sum())
        return min(losses, key=losses.__getitem__)

    def _nearest(
        self, items: Int64s, among: Int64s, group: Int64s, among_group: Int64s, most: int
    ) -> tuple[Int64s, Float64s]:
        """Return the nearest items, nearest first, and their cosines; 0 for those of the same group and below 0.

        Args:
            items: ``[n]`` codes.
            among: ``[J]`` codes.
            group: ``[n]``.
            among_group: ``[J]``.
            most: How many are looked for, k.

        Returns:
            Places in ``among`` and cosines, ``[n, min(k, J)]`` each.
        """
        count = min(most, len(among))
        near = np.zeros((len(items), count), np.int64)
        cosine = np.zeros((len(items), count))
        voting = self.unit[among]  # [J, d]
        step = max(_BLOCK // max(len(among), 1), 1)
        for start in range(0, len(items), step):
            part = slice(start, start + step)
            found = self.unit[items[part]] @ voting.T  # [b, J]
            found[group[part, None] == among_group] = -1.0
            best = np.argpartition(-found, count - 1, axis=1)[:, :count]
            value = np.take_along_axis(found, best, 1)
            order = np.argsort(-value, axis=1, kind="stable")
            near[part] = np.take_along_axis(best, order, 1)
            cosine[part] = np.maximum(np.take_along_axis(value, order, 1), 0)
        return near, cosine


class HistoryTextBaseline(LabelBaseline):
    """The cosine of the candidate and the mean vector of the history; 0 without a history.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.

    Example:
        >>> baseline = HistoryTextBaseline(np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))
        >>> history = SharedHistory(np.array([0, 1]), np.array([0]), of_row=np.array([0, 0]))  # two rows after item 0
        >>> baseline.predict(np.array([1, 2]), history).round(4).tolist()
        [0.0, 0.6]
    """

    name = "history_text"

    def __init__(self, vectors: Float32s | Float64s) -> None:
        self.unit = np.asarray(vectors, np.float32)  # shared, where it is float32 already

    def fit(self, train: LabelRows, num_items: int, num_labels: int) -> None:
        """Do nothing: there is nothing to learn."""

    def predict(self, item: Int64s, history: SharedHistory) -> Float64s:
        """Return the cosines."""
        means = self._mean_vectors(history)
        # a vector is shorter than 1 where a field is the same for all items
        length = (
            np.linalg.norm(means, axis=1)[history.of_row] * np.linalg.norm(self.unit, axis=1)[item]
        )
        dot = np.empty(len(item))
        step = max(_BLOCK // self.unit.shape[1], 1)
        for start in range(0, len(item), step):
            part = slice(start, start + step)
            dot[part] = np.einsum("rd,rd->r", means[history.of_row[part]], self.unit[item[part]])
        cosine: Float64s = np.divide(dot, length, out=np.zeros(len(item)), where=length > 0)
        return cosine

    def _mean_vectors(self, history: SharedHistory) -> Float32s:
        """Return the mean of each list's vectors ``[L, d]``; zero for an empty one."""
        size = np.diff(history.offsets)
        filled = np.flatnonzero(size)
        means = np.zeros((len(size), self.unit.shape[1]), np.float32)
        step = max(_BLOCK // (self.unit.shape[1] * int(size.max(initial=1))), 1)
        for start in range(0, len(filled), step):
            lists = filled[start : start + step]
            first, last = history.offsets[lists[0]], history.offsets[lists[-1] + 1]
            vectors = self.unit[history.item[first:last]]
            # lists between two filled ones are empty, so each sum ends where the next begins
            sums = np.add.reduceat(vectors, history.offsets[lists] - first, axis=0)
            means[lists] = sums / size[lists, None]
        return means
