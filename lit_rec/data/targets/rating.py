"""RatingTarget: the number that a user gave an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.arrays import Float32s, Float64s, Int64s
from lit_rec.data.history.rule import Where
from lit_rec.data.prepared import Prepared
from lit_rec.data.targets.target_rule import TargetRule, nothing_to_predict

_SHRINKAGE = 5.0
_ROUNDS = 5
_MANY_ZEROS = 0.2


class RatingTarget(TargetRule):
    """A rating, such as stars or hours; a row without one is not predicted."""

    name = "rating"

    def facts(
        self, prepared: Prepared, train: Int64s, labels: Sequence[str] | None, *, with_users: bool
    ) -> dict[str, Any]:
        """Return how much better than the mean each item is rated.

        Raises:
            DataError: If no training row has a rating.
        """
        rated = train[~np.isnan(prepared.rating[train])]
        if not len(rated):
            raise nothing_to_predict("rating", elsewhere=not np.isnan(prepared.rating).all())
        bias = np.zeros(len(prepared.items))
        found = item_rating_bias(prepared.user[rated], prepared.item[rated], prepared.rating[rated])
        bias[: len(found)] = found
        return {"labels": (), "label_counts": (), "item_bias": bias, "item_log_frequency": True}

    def of_rows(
        self, prepared: Prepared, labels: Sequence[str], where: Where | None = None
    ) -> Float32s:
        """Return the ratings ``[R]``."""
        return np.asarray(prepared.rating, dtype=np.float32)

    def start(self, rating_mean: float, label_counts: Sequence[int]) -> float:
        """Return the mean rating."""
        return rating_mean

    def liked_rating(self, rating_high: float) -> float:
        """Return the highest rating."""
        return rating_high


def zeros_for_none(ratings: npt.NDArray[np.floating[Any]]) -> float:
    """Return the share of ratings that are 0, if this may say that there is none; else 0.

    It may where 0 is the most frequent rating, and the others are 1 or more, such as 1 to 10.

    Args:
        ratings: ``[R]``, none NaN.

    Example:
        >>> zeros_for_none(np.array([0, 0, 0, 7, 10, 8])), zeros_for_none(np.array([0.0, 0.5, 1.0]))
        (0.5, 0.0)
    """
    values, counts = np.unique(ratings, return_counts=True)
    if len(values) < 4 or values[0] != 0 or values[1] < 1 or counts.argmax() > 0:
        return 0.0
    share = float(counts[0] / counts.sum())
    return share if share >= _MANY_ZEROS else 0.0


def item_rating_bias(
    user: npt.NDArray[np.integer[Any]],
    item: npt.NDArray[np.integer[Any]],
    rating: npt.NDArray[np.floating[Any]],
) -> Float64s:
    """Return each item code's bias without users' biases, each shrunk by five ratings.

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
