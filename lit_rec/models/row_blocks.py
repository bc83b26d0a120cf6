"""Rows of a batch a block at a time, so that an option and not the batch sets the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from lit_rec.data.batches.batch import HistorySlots


def in_row_blocks(compute: Callable[[slice], Tensor], rows: int, block: int) -> Tensor:
    """Return what ``compute`` gives for all rows, asked for ``block`` rows at a time.

    Where there are more rows than a block has, what a block holds for the backward pass is computed again there, so
    that one block's is kept at a time. Rows that fit into one block are computed as if there were none.

    Args:
        compute: Takes a slice of the rows and returns ``[b, ...]``, each row as it would be alone.
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
    """Return how many rows of ``slots`` slots a block has: one at least."""
    return max(1, slots_per_block // max(slots, 1))


def slots_of(history: HistorySlots, rows: slice | Tensor) -> HistorySlots:
    """Return the histories of some rows."""
    return HistorySlots(**{f.name: getattr(history, f.name)[rows] for f in fields(history)})
