"""The processes of a run: the rank, rows divided among processes, and results gathered from all of them.

With a single process every function works, too, and communicates nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

# returns the tensors of all processes, which have one shape, as [processes, ...]
Gather = Callable[[Tensor], Tensor]
Value = TypeVar("Value")


def _process() -> tuple[int, int]:
    """Return which process this is, and how many there are."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def is_first() -> bool:
    """Return whether this is the first process, or the only one."""
    return _process()[0] == 0


def own_part() -> slice:
    """Return which rows belong to this process: every W-th, so that each gets long and short texts alike."""
    return slice(_process()[0], None, _process()[1])


def largest_part(count: int) -> int:
    """Return how many of ``count`` rows the first process has; the others have the same number, or one less."""
    return -(-count // _process()[1])


def brought_together(part: Tensor, count: int) -> Tensor:
    """Return on every process the results ``[count, D]`` of all processes, each computed from its ``own_part``.

    Every process calls this.
    """
    # all processes have to gather the same shape
    missing = largest_part(count) - len(part)
    gathered = gather_from_all(torch.nn.functional.pad(part, (0, 0, 0, missing)))  # [W, n, D]
    return gathered.transpose(0, 1).flatten(0, 1)[:count]


def value_of_first(value: Value) -> Value:
    """Return the first process's ``value`` on every process; every process calls this."""
    if _process()[1] == 1:
        return value
    sent = [value]
    distributed.broadcast_object_list(sent, src=0)
    return sent[0]


def tensor_of_first(tensor: Tensor | None, device: torch.device) -> Tensor:
    """Return the first process's float32 tensor on every process's ``device``.

    Every process calls this, the others with None.
    """
    shape = value_of_first(() if tensor is None else tuple(tensor.shape))
    there = (torch.empty(shape) if tensor is None else tensor).to(device)
    if _process()[1] > 1:
        distributed.broadcast(there, src=0)
    return there


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor on the CPU, put together first where it is sharded; every process calls this."""
    gathered = tensor.detach()
    if is_divided(gathered):
        gathered = gathered.full_tensor()  # type: ignore[attr-defined]
    return gathered.cpu()


def is_divided(tensor: Tensor) -> bool:
    """Return whether a tensor is a DTensor, of which each process has a part."""
    dtensor = sys.modules.get(
        "torch.distributed.tensor"
    )  # takes long to import; without it there is none
    return dtensor is not None and isinstance(tensor, dtensor.DTensor)


def gather_from_all(mine: Tensor) -> Tensor:
    """Return the tensors of all processes ``[processes, ...]``; gradients flow back to the process of each part.

    Every process calls this, and its backward pass, equally often and with tensors of one shape.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return mine.unsqueeze(0)
    gathered: Tensor = _Gather.apply(mine)  # type: ignore[no-untyped-call]
    return gathered


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        parts = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, mine.contiguous())
        return torch.stack(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # each process compared its own users with all items
        total = gradient.contiguous()
        distributed.all_reduce(total)
        return total[distributed.get_rank()]


def distinct_items(vectors: Tensor, code: Tensor, gather: Gather) -> tuple[Tensor, Tensor]:
    """Return the distinct items of all processes: vectors ``[N', D]`` and increasing codes ``[N']``.

    Processes have different numbers of items, and gathering needs one shape, so they are padded first. Where several
    processes have an item, its vector is taken from the first of them.

    Args:
        vectors: ``[N, D]`` of this process.
        code: ``[N]`` int64, which item each is, 0 or more; distinct within a process.
        gather: Gathers tensors from all processes.
    """
    sizes = gather(torch.tensor([len(code)], device=code.device))
    more = int(sizes.max()) - len(code)
    codes = gather(torch.nn.functional.pad(code, (0, more), value=-1)).flatten()
    everyone = gather(torch.nn.functional.pad(vectors, (0, 0, 0, more))).flatten(0, 1)
    distinct, index = torch.unique(codes, return_inverse=True)  # [N' + padding]
    place = torch.arange(len(codes), device=codes.device)
    first = torch.full_like(distinct, len(codes)).scatter_reduce(0, index, place, "amin")
    real = distinct >= 0
    return everyone[first[real]], distinct[real]
