"""Sum item vectors over histories without a vector per slot."""

from __future__ import annotations

from torch import Tensor, nn

# entries per slot: [B, N] is then not much larger than what describes the slots, and one product is faster than
# gathering
_SHORT = 8


def weighted_sum(weights: Tensor, index: Tensor, vectors: Tensor) -> Tensor:
    """Return ``sum_h weights[b, h] * vectors[index[b, h]]`` for each row.

    Of a short table, such as that of the events, the weights are added up per entry first and multiplied once; both
    ways are equal, and neither holds ``[B, H, D]``, not even for the backward pass.

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
    items = len(vectors)
    if slots == 0 or items <= _SHORT * slots:
        total = weights.new_zeros(rows, items).scatter_add(1, index, weights)  # [B, N]
        return total @ vectors
    return nn.functional.embedding_bag(index, vectors, per_sample_weights=weights, mode="sum")
