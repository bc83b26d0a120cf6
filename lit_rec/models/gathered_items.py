"""Items of a batch brought together over all processes, with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, distributed

# what every process has of a tensor of one shape, [processes, ...]
Gather = Callable[[Tensor], Tensor]


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
