"""quality_weights: how good items are by their texts alone."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s

_PENALTIES = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
_PARTS = 5  # of the items: each is predicted from the others
_USER = 5.0  # a user's mean is shrunk as by so many ratings of the mean


def quality_weights(user: Int64s, item: Int64s, rating: Float64s, texts: Float64s) -> Float64s:
    """Return the weights of a ridge regression of ratings on items' texts, 0 where texts tell nothing of other items.

    What is regressed is a rating's distance from the mean and from its user's own. The penalty is the one by which
    items are predicted best from other items, since an item's own ratings are better known than by its text.

    Args:
        user: ``[R]``.
        item: ``[R]``.
        rating: ``[R]``.
        texts: ``[I, D]``, of all items.

    Returns:
        ``[D]``.

    Example:
        >>> item = np.arange(40)
        >>> texts = np.where(item % 2, 1.0, -1.0)[:, None]
        >>> quality_weights(np.zeros(40, np.int64), item, 3 + texts[:, 0], texts).round(1).tolist()
        [1.0]
        >>> quality_weights(np.zeros(40, np.int64), item, np.full(40, 3.0), texts).tolist()
        [0.0]
    """
    mean = rating.mean()
    of_user = np.bincount(user, rating - mean) / (np.bincount(user) + _USER)
    count = np.bincount(item, minlength=len(texts)).astype(np.float64)
    residual = rating - mean - of_user[user]
    total = np.bincount(item, residual, minlength=len(texts)).astype(np.float64)
    known = np.flatnonzero(count)
    part = np.random.default_rng(0).integers(0, _PARTS, len(texts))[known]
    saved = np.zeros(len(_PENALTIES))  # of the squared error that there is without texts
    for one in range(_PARTS):
        held = known[part == one]
        for place, weights in enumerate(_fitted(known[part != one], texts, count, total)):
            said = texts[held] @ weights
            saved[place] += (2 * said * total[held] - count[held] * said**2).sum()
    best = int(saved.argmax())
    if saved[best] <= 0:
        return np.zeros(texts.shape[1])
    return _fitted(known, texts, count, total)[best]


def _fitted(items: Int64s, texts: Float64s, count: Float64s, total: Float64s) -> list[Float64s]:
    """Return the weights with each penalty, fitted on some items."""
    of_some = texts[items]
    gram, moment = of_some.T @ (of_some * count[items, None]), of_some.T @ total[items]
    ridge = np.eye(len(gram))
    return [np.asarray(np.linalg.solve(gram + p * ridge, moment), float) for p in _PENALTIES]
