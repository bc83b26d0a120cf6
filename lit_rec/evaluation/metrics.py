"""Metrics of ratings."""

from __future__ import annotations

import numpy as np

from lit_rec.evaluation.rows import Floats


def rmse(prediction: Floats, target: Floats) -> float:
    """Root of the mean squared error, in the unit of the ratings; NaN without rows.

    Example:
        >>> rmse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        1.4142135623730951
    """
    return float(np.sqrt(np.mean((prediction - target) ** 2))) if len(target) else float("nan")


def mae(prediction: Floats, target: Floats) -> float:
    """Mean absolute error, in the unit of the ratings; NaN without rows.

    Example:
        >>> mae(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        1.0
    """
    return float(np.mean(np.abs(prediction - target))) if len(target) else float("nan")
