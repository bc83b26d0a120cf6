"""Rows of similar length together, so that a few long histories do not pad the many short ones."""

from __future__ import annotations

import torch
from torch import Tensor


def length_groups(lengths: Tensor) -> list[tuple[Tensor, int]]:
    """Return rows in groups whose lengths are within a factor of two, the short ones first.

    Padded to the longest of its group, less than half of what is computed is padding, whatever the lengths.

    Args:
        lengths: ``[B]`` int64, 1 or more.

    Returns:
        Of each group its rows ``[b]``, in their order, and the length of its longest.

    Example:
        >>> length_groups(torch.tensor([3, 50, 4, 1, 33]))
        [(tensor([3]), 1), (tensor([0, 2]), 4), (tensor([1, 4]), 50)]
    """
    power = torch.frexp((lengths - 1).float()).exponent  # of 1 | 2 | 3, 4 | 5 to 8 | 9 to 16 ...
    groups = [(power == each).nonzero()[:, 0] for each in torch.unique(power).tolist()]
    return [(rows, int(lengths[rows].max())) for rows in groups]
