"""A training pass over a batch, or two of them whose predictions should agree: R-Drop."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lit_rec.data.batches.batch import RecBatch
from lit_rec.models.networks.network import Network
from lit_rec.models.objectives.score import Objective


@dataclass(frozen=True)
class TrainingPass:
    """The losses of a batch, as sums.

    Shape:
        total: ``[]``, sum of the objective's losses, which is logged. count: ``[]``, their number. minimised: ``[]``,
            what the backward pass begins with.
    """

    total: Tensor
    count: Tensor
    minimised: Tensor


def training_pass(
    network: Network, objective: Objective, batch: RecBatch, r_drop: float = 0.0
) -> TrainingPass:
    """Pass a batch through the network in training mode.

    With R-Drop it passes twice; dropout draws anew. What is minimised is the mean of both losses, plus ``r_drop / 2``
    times how far the predictions differ: the mean of both Kullback-Leibler divergences of a row's labels or items, or
    the squared difference of ratings. That is half the paper's loss, so that learning rates stay as they are, and
    ``r_drop`` is the paper's alpha.

    Args:
        network: The network.
        objective: What is minimised.
        batch: The batch.
        r_drop: Strength of R-Drop; 0: one pass.

    Reference:
        Liang et al. 2021, R-Drop: regularized dropout for neural networks, https://arxiv.org/abs/2106.14448.
    """
    one = network.training_outputs(batch)  # scores, or vectors of users and items
    total, count = objective.losses_of(one, batch)
    if not r_drop:
        return TrainingPass(total, count, total)
    two = network.training_outputs(batch)
    total = (total + objective.losses_of(two, batch)[0]) / 2
    differs = objective.disagreement(one, two, batch)
    return TrainingPass(total, count, total + r_drop / 2 * count * differs)
