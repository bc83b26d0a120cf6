"""Scores of many batches and processes brought together, each row once, and the callback that writes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s


class CollectedScores:
    """Collect ``(row, scores)`` of every batch.

    Example:
        >>> collected = CollectedScores()
        >>> collected.add(torch.tensor([4, 2]), torch.tensor([[0.5], [1.5]]))
        >>> rows, scores = collected.gather()
        >>> rows.tolist(), scores.tolist()
        ([2, 4], [1.5, 0.5])
    """

    def __init__(self) -> None:
        self._rows: list[Tensor] = []
        self._scores: list[Tensor] = []

    def add(self, rows: Tensor, scores: Tensor) -> None:
        """Take ``rows`` ``[B]`` and ``scores`` ``[B, 1]``, or ``[B, 1, K]`` for labels.

        Raises:
            ValueError: If there is more than one candidate per row.
        """
        if scores.shape[1] != 1:
            raise ValueError(f"one candidate per row, not {scores.shape[1]}, is collected")
        self._rows.append(rows.detach().cpu())
        self._scores.append(scores.detach().float().cpu()[:, 0])

    def gather(self) -> tuple[Int64s, Float64s]:
        """Return all rows ``[R]`` in increasing order and their scores, on every process.

        Returns:
            Scores ``[R]``, or ``[R, K]`` of labels; ``[0]`` where there is no row.

        Raises:
            ValueError: If a row was scored twice.
        """
        none = torch.empty(0)
        mine = (
            torch.cat(self._rows or [none.long()]).numpy(),
            torch.cat(self._scores or [none]).numpy(),
        )
        parts = [mine]
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            parts = [mine] * torch.distributed.get_world_size()
            torch.distributed.all_gather_object(parts, mine)
        # a process without rows knows of no labels
        parts = [part for part in parts if len(part[0])] or [mine]
        rows = np.concatenate([part[0] for part in parts])
        scores = np.concatenate([part[1] for part in parts]).astype(np.float64)
        order = np.argsort(rows)
        if len(np.unique(rows)) != len(rows):
            raise ValueError("a row was scored twice: the sampler must hand out each row once")
        return rows[order], scores[order]


class ScoreWriter(Callback, ABC):
    """Collect what a stage scores and write it once, where all processes have come together.

    The hooks of the stage call ``begin``, ``collect`` and ``finish``.
    """

    def begin(self) -> None:
        """Begin a new collection."""
        self._collected = CollectedScores()

    def collect(self, outputs: Any, batch: Any) -> None:
        """Collect the ``outputs`` ``[B, 1]`` or ``[B, 1, K]`` of a batch."""
        self._collected.add(batch.row, outputs)

    def finish(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Gather on every process, write on the first."""
        rows, scores = self._collected.gather()
        if trainer.is_global_zero:
            self.write(trainer, pl_module, rows, scores)

    @abstractmethod
    def write(
        self, trainer: lightning.Trainer, pl_module: Any, rows: Int64s, scores: Float64s
    ) -> None:
        """Write the scores ``[R]``, or ``[R, K]``, of ``rows`` ``[R]``, which increase."""
