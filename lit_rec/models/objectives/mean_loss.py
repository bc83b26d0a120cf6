"""MeanLoss: what a network that computes its own losses minimises."""

from __future__ import annotations

from torch import Tensor

from lit_rec.data.batches.batch import Target
from lit_rec.data.targets.pretraining import PretrainingTarget
from lit_rec.models.objectives.score import ScoreObjective


class MeanLoss(ScoreObjective):
    """The mean of the losses of texts that ``TextPretraining`` gives.

    Example:
        >>> import torch
        >>> target = Target(torch.zeros(2, 1), torch.tensor([[True], [True]]))
        >>> MeanLoss()(torch.tensor([[1.5], [2.5]]), target)
        (tensor(4.), tensor(2))
    """

    predicts = PretrainingTarget
    consumes = "losses"

    def forward(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Return the sum of the losses and their number."""
        return (scores * target.mask).sum(), target.mask.sum()
