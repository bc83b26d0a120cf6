"""text_knn and ease_text: items of similar text, alone and beside EASE."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.models.neighbors.item_tables import DenseTable

_ROWS = 1024  # of the table that are computed at once: bounds the memory, not the result


def text_table(vectors: Tensor, power: float) -> DenseTable:
    """Return powers of cosines that keep their sign: ``sign(c[i, j]) * abs(c[i, j]) ** power``.

    A power above 1 makes the nearest texts count more than many that are somewhat near.

    Args:
        vectors: ``[I, D]`` text vectors, centred and of length 1; see ``unit_vectors``.
        power: 1 or more.

    Example:
        >>> text_table(torch.tensor([[1.0, 0.0], [-0.5, 0.75**0.5]]), power=3.0).values
        tensor([[ 0.0000, -0.1250],
                [-0.1250,  0.0000]])
    """
    table = torch.zeros(len(vectors), len(vectors))
    add_text(table, vectors, power, times=1.0)
    return DenseTable(table)


def add_text(table: Tensor, vectors: Tensor, power: float, times: float) -> None:
    """Add a multiple of ``text_table`` to ``table`` ``[I, I]`` in place, without a second table.

    Example:
        >>> table = torch.ones(2, 2)
        >>> add_text(table, torch.ones(2, 1), power=3.0, times=0.5)
        >>> table
        tensor([[1.0000, 1.5000],
                [1.5000, 1.0000]])
    """
    for start in range(0, len(vectors), _ROWS):
        cosine = vectors[start : start + _ROWS] @ vectors.T
        cosine.diagonal(start).zero_()
        if power != 1:
            cosine *= cosine.abs().pow_(power - 1)
        table[start : start + _ROWS].add_(cosine, alpha=times)
