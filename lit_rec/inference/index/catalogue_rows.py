"""Rows of a catalogue, however they are given."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lit_rec.data.arrays import Int64s

Rows = Sequence[int] | Int64s | Tensor


def distinct_rows(rows: Rows, size: int, name: str) -> Tensor:
    """Return rows of a catalogue, sorted and each once, on the CPU.

    Args:
        rows: The rows.
        size: Rows that the catalogue has.
        name: What they were given as, for the error.

    Raises:
        ValueError: If one is not of the catalogue.

    Example:
        >>> distinct_rows([3, 1, 3], 4, "deny")
        tensor([1, 3])
    """
    found = sorted_distinct(torch.as_tensor(rows, dtype=torch.int64).cpu())
    if len(found) and not (found[0] >= 0 and found[-1] < size):
        wrong = found[0] if found[0] < 0 else found[-1]
        raise ValueError(f"{name} has row {int(wrong)}, the catalogue has rows 0 to {size - 1}")
    return found


def sorted_distinct(rows: Tensor) -> Tensor:
    """Return rows sorted and each once."""
    found: Tensor = torch.unique(rows)
    return found
