"""Work on rows divided among processes, and what it gave brought together."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, distributed

from lit_rec.data.arrays import Int64s
from lit_rec.models.gathered_items import gather_from_all

Value = TypeVar("Value")


def _process() -> tuple[int, int]:
    """Return which process this is, and how many there are."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def is_first() -> bool:
    """Return whether this is the first process, or the only one."""
    return _process()[0] == 0


def own_part(rows: Int64s) -> Int64s:
    """Return this process's part of some rows: every W-th, so that long and short texts are dealt out alike."""
    process, processes = _process()
    return rows[process::processes]


def largest_part(count: int) -> int:
    """Return how many of ``count`` rows the first process has; the others have as many, or one less."""
    return -(-count // _process()[1])


def brought_together(part: Tensor, count: int) -> Tensor:
    """Return on every process what all have computed of ``count`` rows ``[count, D]``, each of its ``own_part``.

    Every process calls this.
    """
    # gathering wants one shape
    missing = largest_part(count) - len(part)
    gathered = gather_from_all(torch.nn.functional.pad(part, (0, 0, 0, missing)))  # [W, n, D]
    return gathered.transpose(0, 1).flatten(0, 1)[:count]


def told_by_first(value: Value) -> Value:
    """Return the first process's ``value`` on every process; every process calls this."""
    if _process()[1] == 1:
        return value
    told = [value]
    distributed.broadcast_object_list(told, src=0)
    return told[0]


def tensor_of_first(tensor: Tensor | None, device: torch.device) -> Tensor:
    """Return the first process's float32 tensor on every process's ``device``.

    Every process calls this, the others with None.
    """
    shape = told_by_first(() if tensor is None else tuple(tensor.shape))
    there = (torch.empty(shape) if tensor is None else tensor).to(device)
    if _process()[1] > 1:
        distributed.broadcast(there, src=0)
    return there
