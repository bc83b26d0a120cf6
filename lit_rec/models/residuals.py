"""What a user's ratings say beyond the items' own quality."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.data.batches import HistorySlots


def item_residuals(
    item_vectors: Tensor, history: HistorySlots, rating_mean: float
) -> tuple[Tensor, Tensor]:
    """Return each rating's deviation from mean and item bias, and where there is a rating.

    Args:
        item_vectors: ``[N, D]``, the last coordinate the item's bias.
        history: The slots; H of them.
        rating_mean: Mean rating.

    Returns:
        Residuals ``[B, H]`` (0 where there is no rating) and a mask ``[B, H]``.
    """
    rated = history.mask & ~torch.isnan(history.rating)
    bias = item_vectors[:, -1][history.item_index]  # [B, H]
    return torch.where(rated, history.rating - rating_mean - bias, 0.0), rated
