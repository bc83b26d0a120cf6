"""Sum item vectors over histories without a vector per slot."""

from __future__ import annotations

from torch import Tensor


def weighted_sum(weights: Tensor, index: Tensor, vectors: Tensor) -> Tensor:
    """Return ``sum_h weights[b, h] * vectors[index[b, h]]`` for each row.

    Histories repeat the same items, so the weights are added up per distinct item first and multiplied once, unless there are more
    distinct items than slots times width; both ways are equal.

    Args:
        weights: ``[B, H]``, 0 in padding.
        index: ``[B, H]`` int64 into ``vectors``.
        vectors: ``[N, D]``.

    Returns:
        ``[B, D]``.

    Example:
        >>> import torch
        >>> weighted_sum(torch.tensor([[1.0, 2.0]]), torch.tensor([[1, 1]]), torch.tensor([[5.0], [10.0]]))
        tensor([[30.]])
    """
    rows, slots = index.shape
    items, width = vectors.shape
    if items <= slots * width:
        total = weights.new_zeros(rows, items).scatter_add(1, index, weights)  # [B, N]
        return total @ vectors
    return (weights.unsqueeze(1) @ vectors[index]).squeeze(1)  # [B, 1, H] @ [B, H, D]
