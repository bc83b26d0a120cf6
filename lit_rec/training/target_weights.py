"""TargetWeights: every target has the same weight in the gradient, whatever its process and micro-batch."""

from __future__ import annotations

import lightning
import torch
from torch import Tensor


class TargetWeights:
    """Make the gradient of a step equal to that of one batch with all its rows: sum of losses / number of targets.

    Lightning takes the mean over processes and over accumulated micro-batches. Targets would then have unequal weights
    where rows have no target, and in the last step of an epoch, which has fewer micro-batches and rows. This is exact
    for a loss that is a sum over rows. It is not exact for a loss that compares the rows of a batch, because a
    micro-batch has fewer rows to compare.
    """

    def __init__(self) -> None:
        self._first: Tensor | None = None  # targets of the step's first micro-batch
        self._seen: Tensor | None = None  # targets of its micro-batches so far

    def losses(
        self, total: Tensor, count: Tensor, trainer: lightning.Trainer
    ) -> tuple[Tensor, Tensor]:
        """Return the loss for the backward pass, and the mean loss over all processes.

        Args:
            total: Sum of this process's losses, a scalar.
            count: Number of this process's targets.
            trainer: The Trainer, which knows the number of processes.
        """
        everywhere = torch.stack([total.detach().float(), count.float()])
        if trainer.world_size > 1:
            torch.distributed.all_reduce(everywhere)
        shown, targets = everywhere
        if self._first is None or self._seen is None:
            self._first, self._seen = targets, torch.zeros_like(targets)
        self._seen = self._seen + targets
        # DDP will divide by the number of processes
        loss = total * (trainer.world_size / self._first.clamp(min=1e-9))
        return loss, shown / targets.clamp(min=1e-9)

    def again(self, total: Tensor, trainer: lightning.Trainer) -> Tensor:
        """Return the loss of another pass over the batch of ``losses``, whose targets are counted already.

        Args:
            total: Sum of this process's losses in this pass.
            trainer: The Trainer.

        Raises:
            ValueError: Before ``losses``.
        """
        if self._first is None:
            raise ValueError("the first pass of a step counts its targets")
        return total * (trainer.world_size / self._first.clamp(min=1e-9))

    def weigh(self, optimizer: torch.optim.Optimizer, micro_batches: int) -> None:
        """Divide the gradients by the step's number of targets, before they are clipped.

        Args:
            optimizer: The optimizer of the parameters.
            micro_batches: Number of micro-batches, by which Lightning has divided the loss.
        """
        if micro_batches > 1 and self._first is not None and self._seen is not None:
            factor = micro_batches * self._first.clamp(min=1e-9) / self._seen.clamp(min=1e-9)
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter.grad.mul_(factor)
        self._first = self._seen = None
