"""TargetWeights: every target counts alike, whichever process and micro-batch it came in."""

from __future__ import annotations

import lightning
import torch
from torch import Tensor


class TargetWeights:
    """Make the gradient of a step that of one batch with all its rows: the sum of losses over the number of targets.

    Lightning takes the mean over processes and over accumulated micro-batches, which would weigh targets unequally
    where rows have none, and at the end of an epoch, where the last step has fewer micro-batches and rows. What is
    exact for a loss that is a sum over rows is not for one that compares the rows of a batch: a micro-batch has fewer
    rows to compare.
    """

    def __init__(self) -> None:
        self._first: Tensor | None = None  # targets of the step's first micro-batch
        self._seen: Tensor | None = None  # targets of its micro-batches so far

    def losses(
        self, total: Tensor, count: Tensor, trainer: lightning.Trainer
    ) -> tuple[Tensor, Tensor]:
        """Return the loss to go backward from, and the mean loss over all processes.

        Args:
            total: Sum of this process's losses, a scalar.
            count: Their number.
            trainer: Knows the processes.
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

    def weigh(self, optimizer: torch.optim.Optimizer, micro_batches: int) -> None:
        """Divide the gradients by the step's number of targets, before they are clipped.

        Args:
            optimizer: Whose parameters.
            micro_batches: Number that Lightning has divided the loss by.
        """
        if micro_batches > 1 and self._first is not None and self._seen is not None:
            factor = micro_batches * self._first.clamp(min=1e-9) / self._seen.clamp(min=1e-9)
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter.grad.mul_(factor)
        self._first = self._seen = None
