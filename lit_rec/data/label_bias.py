"""How much likelier than usual the positive one of two labels is for each item, of training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.arrays import Bools, Float64s

_SHRINKAGE = 5.0
_ROUNDS = 5


def item_label_bias(
    user: npt.NDArray[np.integer[Any]],
    item: npt.NDArray[np.integer[Any]],
    positive: Bools,
) -> Float64s:
    """Return each item code's log odds ratio, users' taken out, each shrunk by five rows of the base rate.

    Args:
        user: ``[R]`` codes.
        item: ``[R]`` codes.
        positive: ``[R]``, whether a row has the positive label.

    Returns:
        One bias per code up to the largest, 0 for a code without rows.

    Example:
        >>> item_label_bias(np.array([0, 1]), np.array([0, 0]), np.array([True, False])).tolist()
        [0.0]
    """
    rate = (positive.sum() + 1) / (len(positive) + 2)
    start = np.log(rate / (1 - rate))
    user_bias, item_bias = np.zeros(user.max() + 1), np.zeros(item.max() + 1)
    for _ in range(_ROUNDS):
        item_bias = _log_odds_ratio(item, positive, start + user_bias[user], rate)
        user_bias = _log_odds_ratio(user, positive, start + item_bias[item], rate)
    return item_bias


def _log_odds_ratio(
    group: npt.NDArray[np.integer[Any]],
    positive: Bools,
    log_odds: Float64s,
    rate: float,
) -> Float64s:
    """Return, for each group, the log odds of its labels over those expected of its rows."""
    probability = 1 / (1 + np.exp(-log_odds))
    found, missed = np.bincount(group, positive), np.bincount(group, ~positive)
    expected, other = np.bincount(group, probability), np.bincount(group, 1 - probability)
    up, down = _SHRINKAGE * rate, _SHRINKAGE * (1 - rate)
    ratio: Float64s = np.log((found + up) / (expected + up)) - np.log(
        (missed + down) / (other + down)
    )
    return ratio
