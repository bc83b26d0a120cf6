"""FiniteLoss: a run that has diverged ends, and what it saved before stays."""

from __future__ import annotations

import math
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from lit_rec.errors import ConfigError, option_of


class FiniteLoss(Callback):
    """End a run whose loss is no longer a finite number.

    The loss is looked at once per ``trainer.log_every_n_steps``, where it is read for the logger anyway, after each
    validation and after each epoch. Checkpoints are saved after that, so those of a diverged model never take the place
    of earlier ones.

    Example:
        >>> stop = FiniteLoss()
        >>> options = {"log_every_n_steps": 1, "accelerator": "cpu", "logger": False, "enable_checkpointing": False}
        >>> trainer, module = lightning.Trainer(callbacks=[stop], **options), lightning.LightningModule()
        >>> stop.on_train_batch_end(trainer, module, {"loss": torch.tensor(1.5)}, None, batch_idx=0)
        >>> stop.on_train_batch_end(trainer, module, {"loss": torch.tensor(torch.nan)}, None, batch_idx=1)
        Traceback (most recent call last):
            ...
        lit_rec.errors.ConfigError: step 0 (epoch 0): training has diverged: train/loss_step is nan.
          Rule: a finite loss; checkpoints saved before this stay as they are.
          Try:  lower the learning rate, or set Trainer.gradient_clip_val to 1.0.
    """

    # a run that is resumed at the end of an epoch ends it without a batch
    _train_loss: Tensor | None = None

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note the loss, and look at it where it is logged.

        Raises:
            ConfigError: If it is NaN or infinite.
        """
        self._train_loss = outputs["loss"]
        every = trainer.log_every_n_steps  # type: ignore[attr-defined]
        if every and (batch_idx + 1) % every == 0:
            _check("train/loss_step", outputs["loss"], trainer, pl_module)

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Look at the loss of the epoch's last batch.

        Raises:
            ConfigError: If it is NaN or infinite.
        """
        if self._train_loss is not None:
            _check("train/loss_step", self._train_loss, trainer, pl_module)

    def on_validation_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Begin a new sum."""
        self._val_loss = torch.zeros((), device=pl_module.device)

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Add a batch's loss: the logged mean leaves NaN out, and is NaN where no row has a target."""
        self._val_loss = self._val_loss + outputs.detach()

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Look at the sum over the validation rows.

        Raises:
            ConfigError: If it is NaN or infinite.
        """
        if trainer.state.fn == "fit":
            _check("val/loss", self._val_loss, trainer, pl_module)


def _check(
    name: str, loss: Tensor, trainer: lightning.Trainer, module: lightning.LightningModule
) -> None:
    value = float(loss)
    # one process that ended alone would leave the others waiting for it
    if not trainer.strategy.reduce_boolean_decision(not math.isfinite(value), all=False):
        return
    rates = " or ".join(
        f"{option_of(module, rate)} ({module.hparams[rate]:g})"
        for rate in ("head_rate", "encoder_rate")
        if rate in module.hparams
    )
    clip = trainer.gradient_clip_val
    clipped = (
        f"lower Trainer.gradient_clip_val ({clip})"
        if clip
        else "set Trainer.gradient_clip_val to 1.0"
    )
    raise ConfigError(
        f"training has diverged: {name} is {'not finite elsewhere' if math.isfinite(value) else value}",
        where=f"step {trainer.global_step} (epoch {trainer.current_epoch})",
        rule="a finite loss; checkpoints saved before this stay as they are",
        remedy=f"lower {rates or 'the learning rate'}, or {clipped}",
    )
