"""Objectives: what training minimises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from lit_rec.data.batches import Target


class Objective(nn.Module, ABC):
    """A loss as a sum and a count, so that batches of unequal size are weighed by their targets.

    ``task`` is what it trains for; ``consumes`` is what it takes: ``scores`` or ``vectors``.

    Shape:
        scores ``[B, C]``, target of the same shape -> sum ``[]``, count ``[]``.
    """

    task: ClassVar[str]
    consumes: ClassVar[str]

    @abstractmethod
    def forward(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Return the sum of the losses and their number."""


class SquaredError(Objective):
    """Squared error of ratings, L = sum (p - y)^2; rows without a rating do not count.

    Example:
        >>> import torch
        >>> target = Target(torch.tensor([[3.0, 0.0]]), torch.tensor([[True, False]]))
        >>> SquaredError()(torch.tensor([[5.0, 9.0]]), target)
        (tensor(4.), tensor(1))
    """

    task = "rating"
    consumes = "scores"

    def forward(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Return the sum of squared errors and the number of ratings."""
        error = (scores - target.value) * target.mask
        return error.square().sum(), target.mask.sum()
