"""Pictures of predictions, for TensorBoard."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.arrays import Float32s

_CELLS = 40  # cells of a picture in each direction


def density(
    predicted: npt.NDArray[np.floating[Any]],
    true: npt.NDArray[np.floating[Any]],
    low: float,
    high: float,
) -> Float32s:
    """Return a picture ``[H, W]`` from 0 to 1: true ratings on the x axis, predicted ones on the y axis.

    Each column is divided by its largest cell.

    Args:
        predicted: ``[R]``.
        true: ``[R]``.
        low: The smallest rating.
        high: The largest.
    """
    edges = np.linspace(low, high if high > low else low + 1, _CELLS + 1)
    counts, _, _ = np.histogram2d(predicted, true, bins=[edges, edges])
    picture = counts / np.maximum(counts.max(0, keepdims=True), 1)
    upright: Float32s = picture[::-1].astype(np.float32)
    return np.kron(upright, np.ones((8, 8), np.float32))


def confusion(
    predicted: npt.NDArray[np.integer[Any]], true: npt.NDArray[np.integer[Any]], labels: int
) -> Float32s:
    """Return the confusion matrix ``[K, K]``; each row of a true label sums to 1, or is 0 without such labels.

    Example:
        >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[0.5, 0.5], [0.0, 1.0]]
    """
    counts = np.bincount(true * labels + predicted, minlength=labels * labels).reshape(labels, -1)
    shares: Float32s = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares.astype(np.float32)


def enlarged(table: Float32s, least: int = 320) -> Float32s:
    """Return a table as a picture of at least ``least`` pixels in each direction."""
    side = max(-(-least // len(table)), 1)
    return np.kron(table, np.ones((side, side), np.float32))
