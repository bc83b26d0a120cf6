"""Scores of many batches and processes brought together, each row once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


class CollectedScores:
    """Collect ``(row, score)`` of every batch.

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
        """Take ``rows`` ``[B]`` and ``scores`` ``[B, 1]``."""
        self._rows.append(rows.detach().cpu())
        self._scores.append(scores.detach().float().cpu().reshape(-1))

    def gather(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return all rows in increasing order and their scores, on every process.

        Raises:
            ValueError: If a row was scored twice.
        """
        none = torch.empty(0)
        mine = (
            torch.cat([none.long(), *self._rows]).numpy(),
            torch.cat([none, *self._scores]).numpy(),
        )
        parts = [mine]
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            parts = [mine] * torch.distributed.get_world_size()
            torch.distributed.all_gather_object(parts, mine)
        rows = np.concatenate([part[0] for part in parts])
        scores = np.concatenate([part[1] for part in parts]).astype(np.float64)
        order = np.argsort(rows)
        if len(np.unique(rows)) != len(rows):
            raise ValueError("a row was scored twice: the sampler must hand out each row once")
        return rows[order], scores[order]
