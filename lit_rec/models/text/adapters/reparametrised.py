"""Learned vectors, either as they are or as the output of a small network, which learns more steadily."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LearnedVectors(nn.Module):
    """Some vectors that are learned.

    Args:
        start: ``[P, width]``, what they begin at.
        hidden: None: the vectors themselves are learned. Otherwise they are what a network of two layers makes of them,
            with so many hidden units; it begins near what it is given.
        out: Width of what the network returns; by default that of ``start``.

    Example:
        >>> LearnedVectors(torch.ones(2, 4))().shape, LearnedVectors(torch.ones(2, 4), hidden=3, out=8)().shape
        (torch.Size([2, 4]), torch.Size([2, 8]))
    """

    def __init__(self, start: Tensor, hidden: int | None = None, out: int | None = None) -> None:
        super().__init__()
        self.vectors = nn.Parameter(start.detach().clone())
        width = start.shape[1]
        self.network = (
            None
            if hidden is None
            else nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, out or width))
        )

    def forward(self) -> Tensor:
        """Return the vectors ``[P, out]``."""
        if self.network is None:
            return self.vectors
        made: Tensor = self.network(self.vectors)
        return made if made.shape != self.vectors.shape else self.vectors + made


def normal(count: int, width: int) -> Tensor:
    """Return random vectors ``[count, width]`` of the size that encoders begin their own tables with."""
    return torch.randn(count, width) * 0.02
