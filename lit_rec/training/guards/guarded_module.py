"""The LightningModule that LitRec is made from: its training steps may have several passes."""

from __future__ import annotations

from typing import Any

import lightning
from torch.optim import Optimizer

from lit_rec.training.guards.guarded_steps import GuardedSteps


class GuardedModule(lightning.LightningModule):
    """A LightningModule whose callbacks may change the passes of a training step."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.guards = GuardedSteps()

    def on_after_backward(self) -> None:
        """Let guards put back what they changed for a step's passes."""
        self.guards.after_backward()

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step, and let guards follow."""
        super().optimizer_step(*args, **kwargs)
        self.guards.after_step(self.trainer.global_step + 1)  # Lightning counts it only after this

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: Optimizer) -> None:
        """Remove the gradients of the last step, but not those that this step's first passes gave."""
        if not self.guards.has_begun():
            optimizer.zero_grad()
