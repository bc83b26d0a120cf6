"""How much better than the mean each item is rated, of training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.arrays import Float64s

_SHRINKAGE = 5.0
_ROUNDS = 5


def item_rating_bias(
    user: npt.NDArray[np.integer[Any]],
    item: npt.NDArray[np.integer[Any]],
    rating: npt.NDArray[np.floating[Any]],
) -> Float64s:
    """Return each item code's bias, users' biases taken out, each shrunk by five ratings.

    Args:
        user: ``[R]`` codes.
        item: ``[R]`` codes.
        rating: ``[R]`` ratings, none NaN.

    Returns:
        One bias per code up to the largest, 0 for a code without ratings.

    Reference:
        Koren 2008, Factorization meets the neighborhood, https://doi.org/10.1145/1401890.1401944, section 2.1.

    Example:
        >>> item_rating_bias(np.array([0, 1]), np.array([0, 0]), np.array([4.0, 4.0])).tolist()
        [0.0]
    """
    centred = rating.astype(np.float64) - rating.mean(dtype=np.float64)
    per_user, per_item = np.bincount(user) + _SHRINKAGE, np.bincount(item) + _SHRINKAGE
    user_bias = np.zeros(len(per_user))
    item_bias = np.zeros(len(per_item))
    for _ in range(_ROUNDS):
        item_bias = np.bincount(item, centred - user_bias[user]) / per_item
        user_bias = np.bincount(user, centred - item_bias[item]) / per_user
    return item_bias
