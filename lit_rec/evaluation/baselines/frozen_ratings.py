"""Baselines of ratings on text vectors of the pretrained encoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from lit_rec.data.arrays import Bools, Float32s, Float64s, Int64s
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial
from lit_rec.evaluation.baselines.neighbours import NeighboursBaseline
from lit_rec.evaluation.baselines.ratings import HistoryBiasBaseline, tenth

_BLOCK = 2_000_000  # numbers compared at once: bounds the memory, not the result
_PAIRS = 20_000_000  # cosines of all pairs of items that are held at most
# the first, the strongest, is used where there are too few rows to hold any out
_PENALTIES = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3)


class TextKnnBaseline(NeighboursBaseline):
    """Mean + biases + the user's residuals for items with similar texts, weighed by a power of their cosine.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.
        trial: The options are those by which its rest predicts its held-out rows best.

    Reference:
        Sarwar et al. 2001, Item-based collaborative filtering, https://doi.org/10.1145/371920.372071.

    Example:
        >>> train = RatingRows(user=np.array([0, 0, 1]), item=np.array([0, 1, 0]), rating=np.array([5.0, 3.0, 4.0]))
        >>> offsets = np.array([0, 1])  # one row
        >>> seen = RaggedHistory(offsets, item=np.array([0]), rating=np.array([5.0]))  # its user gave item 0 five
        >>> baseline = TextKnnBaseline(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
        >>> baseline.fit(train, num_users=2, num_items=3)
        >>> rating = baseline.predict(np.array([0]), np.array([2]), seen)  # item 2 is like item 0
        >>> rating.round(4).tolist()  # 4 + 0.8 / 6 + (0.8 - 0.8 / 6) / 2
        [4.4667]
    """

    name = "text_knn"

    def __init__(self, vectors: Float64s, trial: RatingTrial | None = None) -> None:
        super().__init__(trial)
        self.unit: Float32s = vectors.astype(np.float32)
        # beyond, a cosine is computed for each entry of a history
        self.cosine = self.unit @ self.unit.T if len(vectors) ** 2 <= _PAIRS else None

    def similarity(self, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return the cosines ``[S]``."""
        wanted = item[history.row]
        cosine = np.empty(len(wanted))
        if self.cosine is not None:
            cosine[:] = self.cosine[wanted, history.item]
            return cosine
        step = max(_BLOCK // self.unit.shape[1], 1)
        for start in range(0, len(wanted), step):
            part = slice(start, start + step)
            cosine[part] = np.einsum(
                "sd,sd->s", self.unit[wanted[part]], self.unit[history.item[part]]
            )
        return cosine


class TextRidgeBaseline(HistoryBiasBaseline):
    """Mean + user bias + ridge regression of the residual on the item's frozen text: quality by text alone.

    The regression is over items, each weighed by its number of ratings. It has two penalties: one, chosen on a tenth of
    the training rows, for items with training rows; another, chosen on a tenth of the training items, for items
    without. New items need a far stronger one; no single penalty fits both.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.
        trial: The shrinkage of the user's bias is the one by which its rest predicts its held-out rows best.

    Reference:
        Hoerl & Kennard 1970, Ridge regression, https://doi.org/10.1080/00401706.1970.10488634.

    Example:
        >>> train = RatingRows(user=np.array([0, 0, 1]), item=np.array([0, 1, 0]), rating=np.array([5.0, 1.0, 5.0]))
        >>> baseline = TextRidgeBaseline(np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]]))
        >>> baseline.fit(train, num_users=2, num_items=3)
        >>> np.sign(baseline.text).tolist()  # nobody rated item 2, which is like item 0
        [1.0, -1.0, 1.0]
    """

    name = "text_ridge"

    def __init__(self, vectors: Float64s, trial: RatingTrial | None = None) -> None:
        super().__init__(trial)
        self.unit = vectors

    def learn(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Fit biases, choose the penalties, then fit the regression with each."""
        super().learn(train, num_users, num_items)
        items = np.unique(train.item)
        new = np.isin(train.item, items[tenth(len(items))])
        # MovieLens 100K by time, validation RMSE of all rows | of new items: 0.994 | 1.224 with the penalty chosen on
        # held-out items (300), 0.983 | 1.273 with that of held-out rows (1), 0.982 | 1.237 with each for its own items
        self.seen_penalty = self._best_penalty(train, tenth(len(train.rating)))
        self.new_penalty = self._best_penalty(train, new)
        for_seen, for_new = self._quality(train, (self.seen_penalty, self.new_penalty))
        self.text = np.where(np.isin(np.arange(num_items), items), for_seen, for_new)
        # the history's bias is measured against this model's item biases
        self.item = self.text

    def chosen(self) -> dict[str, Any]:
        """Return the penalties beside the shrinkages of the biases."""
        own = {"seen_penalty": self.seen_penalty, "new_penalty": self.new_penalty}
        return super().chosen() | own

    def _best_penalty(self, train: RatingRows, held: Bools) -> float:
        """Return the penalty by which the rows not ``held`` ``[R]`` predict those that are."""
        out = train.where(held)
        left = out.rating - self.mean - self.user[out.user]
        errors = [
            float(np.sum((left - quality[out.item]) ** 2))
            for quality in self._quality(train.where(~held), _PENALTIES)
        ]
        return _PENALTIES[int(np.argmin(errors))]

    def _quality(self, train: RatingRows, penalties: tuple[float, ...]) -> list[Float64s]:
        """Return the bias of each item ``[I]`` as predicted from text, for each penalty."""
        size = len(self.unit)
        residual = train.rating - self.mean - self.user[train.user]
        count = np.bincount(train.item, minlength=size)
        gram = self.unit.T @ (self.unit * count[:, None])
        moment = self.unit.T @ np.bincount(train.item, residual, minlength=size)
        shrink = np.eye(len(gram))
        return [self.unit @ np.linalg.solve(gram + p * shrink, moment) for p in penalties]


def unit_vectors(fields: Float64s) -> Float64s:
    """Join the vectors of each item's fields: the dot product of two items is then the mean of their fields' cosines.

    Each field is centred over the items first, as pretrained vectors share a direction without meaning. A field in
    which all items are the same becomes zero.

    Args:
        fields: ``[I, F, d]`` text vectors of the catalogue.

    Returns:
        ``[I, F * d]``.

    Example:
        >>> unit_vectors(np.array([[[2.0, 0.0]], [[-2.0, 0.0]], [[0.0, 3.0]], [[0.0, -3.0]]])).tolist()
        [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    """
    centred = fields - fields.mean(0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=2, keepdims=True), 1e-12)
    joined: Float64s = unit.reshape(len(unit), -1) / np.sqrt(fields.shape[1])
    return joined
