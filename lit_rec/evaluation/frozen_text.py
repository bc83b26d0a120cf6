"""Baselines on the text vectors of the encoder as it was before training."""

from __future__ import annotations

import numpy as np

from lit_rec.evaluation.baselines import HistoryBiasBaseline
from lit_rec.evaluation.rows import Floats, Ints, RaggedHistory, RatingRows

_BLOCK = 2_000_000  # history entries compared at once: bounds the memory, not the result
_PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


class FrozenTextKnnBaseline(HistoryBiasBaseline):
    """Mean + biases + the user's residuals for similar items, weighed by the cosine of their texts.

    Vectors are centred and normalised; the history's ``neighbours`` most similar items with a positive cosine count.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue.
        neighbours: How many items of a history count.
        shrinkage: Added to the sum of the cosines: few or weak neighbours say little.

    Reference:
        Sarwar et al. 2001, Item-based collaborative filtering, https://doi.org/10.1145/371920.372071.
    """

    name = "frozen_text_knn"

    def __init__(self, vectors: Floats, neighbours: int = 20, shrinkage: float = 1.0) -> None:
        self.unit = _unit(vectors).astype(np.float32)
        self.neighbours, self.shrinkage = neighbours, shrinkage

    def predict(self, user: Ints, item: Ints, history: RaggedHistory) -> Floats:
        """Return the ratings."""
        rated = history.rated()
        bias = self.history_bias(history)
        prediction = self.mean + self.item[item] + bias
        row = rated.row
        residual = rated.rating - self.mean - self.item[rated.item] - bias[row]
        cosine = np.empty(len(row))
        step = max(_BLOCK // self.unit.shape[1], 1)
        for start in range(0, len(row), step):
            part = slice(start, start + step)
            cosine[part] = np.einsum(
                "sd,sd->s", self.unit[item[row[part]]], self.unit[rated.item[part]]
            )
        order = np.lexsort((-cosine, row))
        place = np.arange(len(row)) - rated.offsets[row[order]]
        keep = order[(place < self.neighbours) & (cosine[order] > 0)]
        weight = np.bincount(row[keep], cosine[keep], minlength=len(user))
        total = np.bincount(row[keep], cosine[keep] * residual[keep], minlength=len(user))
        return prediction + total / (weight + self.shrinkage)


class FrozenTextRidgeBaseline(HistoryBiasBaseline):
    """Mean + user bias + ridge regression of what is left on the item's frozen text: quality that text alone tells.

    One ridge over items, each weighed by its ratings. The penalty is chosen on a tenth of the training items.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue.

    Reference:
        Hoerl & Kennard 1970, Ridge regression, https://doi.org/10.1080/00401706.1970.10488634.
    """

    name = "frozen_text_ridge"

    def __init__(self, vectors: Floats) -> None:
        self.unit = _unit(vectors)

    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Fit biases, then the ridge."""
        train = train.rated()
        super().fit(train, num_users, num_items)
        residual = train.rating - self.mean - self.user[train.user]
        count = np.bincount(train.item, minlength=num_items).astype(np.float64)
        mean = np.bincount(train.item, residual, minlength=num_items) / np.maximum(count, 1)
        seen = np.flatnonzero(count)
        held = np.zeros(num_items, bool)
        held[np.random.default_rng(0).permutation(seen)[: len(seen) // 10]] = True
        fit = np.where(held, 0.0, count)
        errors = [
            float((count * held) @ (mean - self.unit @ _ridge(self.unit, mean, fit, penalty)) ** 2)
            for penalty in _PENALTIES
        ]
        self.penalty = _PENALTIES[int(np.argmin(errors))]
        self.text = self.unit @ _ridge(self.unit, mean, count, self.penalty)
        # the history's bias is measured against what this model knows of items
        self.item = self.text

    def predict(self, user: Ints, item: Ints, history: RaggedHistory) -> Floats:
        """Return the ratings."""
        return self.mean + self.text[item] + self.history_bias(history)


def _ridge(x: Floats, y: Floats, weight: Floats, penalty: float) -> Floats:
    gram = x.T @ (x * weight[:, None]) + penalty * np.eye(x.shape[1])
    return np.linalg.solve(gram, x.T @ (weight * y)).astype(np.float64)


def _unit(vectors: Floats) -> Floats:
    centred = vectors - vectors.mean(0)
    unit: Floats = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    return unit
