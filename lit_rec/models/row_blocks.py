"""Rows of a batch in little memory: blocks of rows, groups of similar length, sums without a vector per slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lit_rec.data.batches.batch import HistorySlots

# If the table has at most this many entries per slot, ``[B, N]`` is not much larger than the slots' indices, and one
# product is faster than gathering.
_SHORT = 8


def in_row_blocks(compute: Callable[[slice], Tensor], rows: int, block: int) -> Tensor:
    """Return what ``compute`` gives for all rows; it gets ``block`` rows at a time.

    With more than one block, each block is computed again in the backward pass, so that the activations of one block
    are held at a time. Rows that fit into one block are computed once.

    Args:
        compute: Takes a slice of the rows and returns ``[b, ...]``; a row must not depend on the others.
        rows: B, how many there are.
        block: Rows of a block.

    Returns:
        ``[B, ...]``.

    Reference:
        Chen et al. 2016, Training deep nets with sublinear memory cost, https://arxiv.org/abs/1604.06174.

    Example:
        >>> values = torch.arange(5.0)
        >>> in_row_blocks(lambda rows: values[rows] * 2, 5, 2)
        tensor([0., 2., 4., 6., 8.])
    """
    if rows <= block:
        return compute(slice(0, rows))
    parts: list[Tensor] = []
    for start in range(0, rows, block):
        part = slice(start, min(start + block, rows))
        if torch.is_grad_enabled():
            parts.append(checkpoint(compute, part, use_reentrant=False))
        else:
            parts.append(compute(part))
    return torch.cat(parts)


def rows_per_block(slots_per_block: int, slots: int) -> int:
    """Return how many rows of ``slots`` slots a block has: at least one."""
    return max(1, slots_per_block // max(slots, 1))


def slots_of(history: HistorySlots, rows: slice | Tensor) -> HistorySlots:
    """Return the histories of some rows."""
    return HistorySlots(**{f.name: getattr(history, f.name)[rows] for f in fields(history)})


def length_groups(lengths: Tensor) -> list[tuple[Tensor, int]]:
    """Return rows in groups whose lengths are within a factor of two, the short ones first.

    Each group is padded to its longest row: less than half of what is computed is padding, whatever the lengths.

    Args:
        lengths: ``[B]`` int64, 1 or more.

    Returns:
        For each group its rows ``[b]``, in their order, and the length of its longest row.

    Example:
        >>> length_groups(torch.tensor([3, 50, 4, 1, 33]))
        [(tensor([3]), 1), (tensor([0, 2]), 4), (tensor([1, 4]), 50)]
    """
    power = torch.frexp((lengths - 1).float()).exponent  # of 1 | 2 | 3, 4 | 5 to 8 | 9 to 16 ...
    groups = [(power == each).nonzero()[:, 0] for each in torch.unique(power).tolist()]
    return [(rows, int(lengths[rows].max())) for rows in groups]


def weighted_sum(weights: Tensor, index: Tensor, vectors: Tensor) -> Tensor:
    """Return ``sum_h weights[b, h] * vectors[index[b, h]]`` for each row.

    With a short table, such as that of events, the weights are first summed per entry and then multiplied once. Both
    ways give the same, and neither holds ``[B, H, D]``, not even for the backward pass.

    Args:
        weights: ``[B, H]``, 0 in padding.
        index: ``[B, H]`` int64 into ``vectors``.
        vectors: ``[N, D]``.

    Returns:
        ``[B, D]``.

    Example:
        >>> weighted_sum(torch.tensor([[1.0, 2.0]]), torch.tensor([[1, 1]]), torch.tensor([[5.0], [10.0]]))
        tensor([[30.]])
    """
    rows, slots = index.shape
    items = len(vectors)
    if slots == 0 or items <= _SHORT * slots:
        total = weights.new_zeros(rows, items).scatter_add(1, index, weights)  # [B, N]
        return total @ vectors
    return nn.functional.embedding_bag(index, vectors, per_sample_weights=weights, mode="sum")
