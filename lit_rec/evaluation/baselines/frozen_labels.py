"""Baselines of labels on text vectors of the pretrained encoder."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Float32s, Float64s, Int64s
from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines.labels import (
    ItemLabelFrequencyBaseline,
    LabelBaseline,
    shrunk,
)

_BLOCK = 20_000_000  # numbers held at once: bounds the memory, not the result


class FrozenTextLabelKnnBaseline(ItemLabelFrequencyBaseline):
    """Labels of the training items with similar texts, and the item's own training labels.

    Each training row of the ``neighbours`` most similar other items with a positive cosine votes for its label, weighed
    by the cosine. The votes are shrunk towards the frequencies of all rows, and the item's own frequencies towards the
    votes. This last shrinkage is the one that predicts a tenth of the training rows best.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.
        neighbours: How many items vote.
        shrinkage_of_votes: How many rows with the frequencies of all rows vote, too: few or weak neighbours then count
            little.

    Reference:
        Dudani 1976, The distance-weighted k-nearest-neighbor rule, https://doi.org/10.1109/TSMC.1976.5408784.

    Example:
        >>> train = LabelRows(user=np.zeros(4, np.int64), item=np.array([0, 0, 1, 1]), label=np.array([1, 1, 0, 0]))
        >>> baseline = FrozenTextLabelKnnBaseline(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
        >>> baseline.fit(train, num_items=3, num_labels=2)
        >>> nothing = SharedHistory(np.array([0, 0]), np.empty(0, np.int64), of_row=np.array([0]))
        >>> found = baseline.predict(np.array([2]), nothing)  # two votes of item 0, and one row that is half and half
        >>> found.round(4).tolist()
        [[0.1667, 0.8333]]
    """

    name = "frozen_text_knn"

    def __init__(
        self, vectors: Float64s, neighbours: int = 20, shrinkage_of_votes: float = 1.0
    ) -> None:
        self.unit = vectors.astype(np.float32)
        self.neighbours, self.shrinkage_of_votes = neighbours, shrinkage_of_votes

    def prior(self, counts: Float64s, items: Int64s) -> Float64s:
        """Return the neighbours' votes, shrunk ``[n, K]``."""
        trained = np.flatnonzero(counts.any(1))
        votes = np.zeros((len(items), counts.shape[1]))
        for near, cosine in self._nearest(items, trained):
            votes += counts[near] * cosine[:, None]
        return shrunk(votes, super().prior(counts, items), self.shrinkage_of_votes)

    def _nearest(self, items: Int64s, among: Int64s) -> list[tuple[Int64s, Float64s]]:
        """Return the nearest, second nearest, ... of ``items``: codes and cosines ``[n]``, 0 where there is none."""
        count = min(self.neighbours, len(among))
        near = np.zeros((len(items), count), np.int64)
        cosine = np.zeros((len(items), count))
        trained = self.unit[among]  # [J, d]
        step = max(_BLOCK // max(len(among), 1), 1)
        for start in range(0, len(items), step):
            part = slice(start, start + step)
            found = self.unit[items[part]] @ trained.T  # [b, J]
            found[items[part, None] == among] = -1.0  # an item is not its own neighbour
            best = np.argpartition(-found, count - 1, axis=1)[:, :count]
            near[part] = among[best]
            cosine[part] = np.maximum(np.take_along_axis(found, best, 1), 0)
        return list(zip(near.T, cosine.T, strict=True))


class FrozenTextHistoryBaseline(LabelBaseline):
    """The cosine of the candidate and the mean vector of the history; 0 without a history.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.

    Example:
        >>> baseline = FrozenTextHistoryBaseline(np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))
        >>> history = SharedHistory(np.array([0, 1]), np.array([0]), of_row=np.array([0, 0]))  # two rows after item 0
        >>> baseline.predict(np.array([1, 2]), history).round(4).tolist()
        [0.0, 0.6]
    """

    name = "frozen_text_history"

    def __init__(self, vectors: Float64s) -> None:
        self.unit = vectors.astype(np.float32)

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
