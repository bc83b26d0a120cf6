"""Optimizer steps of a network, and how many rows a second they take, for tools/benchmark speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median

import torch
from torch import nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.training.lit_rec import LitRec

Step = Callable[[], int]  # takes one step, and returns its number of rows

_CLIP = 1.0


def network_steps(
    module: LitRec, batches: Iterator[RecBatch], dtype: torch.dtype = torch.float32, parts: int = 1
) -> Step:
    """Return a function that takes a whole optimizer step: batch, forward, backward, clipping, update.

    Args:
        module: The module, built; its network is trained.
        batches: An endless iterator.
        dtype: Type in which the encoder computes, under autocast.
        parts: Batches of a step, whose gradients add up.
    """
    network, optimizer = module.built().train(), module.new_optimizer()
    mixed = dtype != torch.float32

    def step() -> int:
        rows = 0
        for _ in range(parts):
            batch = next(batches)
            with torch.autocast("cpu", dtype, enabled=mixed):
                scores = network(batch)
            total, count = module.objective(scores, batch.target)
            (total / count / parts).backward()
            rows += len(batch)
        update(network, optimizer)
        return rows

    return step


def update(module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Clip the gradients and take the step."""
    nn.utils.clip_grad_norm_(module.parameters(), _CLIP)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def rate(step: Step, steps: int) -> float:
    """Return the rows of a step divided by the median of its seconds."""
    seconds, rows = [], 0
    for _ in range(steps):
        start = time.perf_counter()
        rows = step()
        seconds.append(time.perf_counter() - start)
    return rows / median(seconds)
