"""The LightningModule that LitRec is made from: it clips gradients also where processes share an encoder."""

from __future__ import annotations

import lightning
from torch.optim import Optimizer

from lit_rec.training.strategies.sharded_encoder import clip_gradients


class ClippedModule(lightning.LightningModule):
    """A LightningModule whose gradients may be divided among processes."""

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip gradients as the Trainer's options say, also where they are divided among processes."""
        clip_gradients(self, optimizer, gradient_clip_val, gradient_clip_algorithm)
