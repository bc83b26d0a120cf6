"""The processes of a run: which this is, rows divided among them, and what they have brought together.

Each function is for one process alone, too, where it does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed
from torch.distributed.tensor import DTensor

# what every process has of a tensor of one shape, [processes, ...]
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
    """Return which of some rows are this process's: every W-th, so that long and short texts are dealt out alike."""
    return slice(_process()[0], None, _process()[1])


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
    """Return a divided tensor's whole on the CPU, or put an undivided one there; every process calls this."""
    gathered = tensor.detach()
    if isinstance(gathered, DTensor):
        gathered = gathered.full_tensor()
    return gathered.cpu()


def gather_from_all(mine: Tensor) -> Tensor:
    """Return what every process has, ``[processes, ...]``; gradients go back to where each part came from.

    Every process calls this equally often, with tensors of one shape, and goes backward through it equally often.
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
    """Return the distinct items of all processes: vectors ``[N', D]`` and codes ``[N']``, which increase.

    Processes have different numbers of items, and gathering wants one shape: they are padded first. An item that
    several processes have is one item; its vector is taken from the first of them.

    Args:
        vectors: ``[N, D]`` of this process.
        code: ``[N]`` int64, which item each is, 0 or more; distinct within a process.
        gather: Brings the processes together.
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
