"""FiniteLoss: end a run that has diverged; its earlier checkpoints remain."""

from __future__ import annotations

import math
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from lit_rec.errors import ConfigError, option_of


class FiniteLoss(Callback):
    """End a run if its loss is NaN or infinite.

    The loss is checked every ``trainer.log_every_n_steps`` steps, when the logger reads it anyway, after each
    validation and after each epoch. Checkpoints are saved after that, so a diverged model never replaces an earlier
    one.

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

    # a run that is resumed at the end of an epoch has no batch before the epoch ends
    _train_loss: Tensor | None = None

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Store the loss, and check it when it is logged.

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
        """Check the loss of the epoch's last batch.

        Raises:
            ConfigError: If it is NaN or infinite.
        """
        if self._train_loss is not None:
            _check("train/loss_step", self._train_loss, trainer, pl_module)

    def on_validation_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Start a new sum."""
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
        """Add a batch's loss. The logged mean would not do: it skips NaN, and is NaN if no row has a target."""
        self._val_loss = self._val_loss + outputs.detach()

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Check the sum over the validation rows.

        Raises:
            ConfigError: If it is NaN or infinite.
        """
        if trainer.state.fn == "fit":
            _check("val/loss", self._val_loss, trainer, pl_module)


def _check(
    name: str, loss: Tensor, trainer: lightning.Trainer, module: lightning.LightningModule
) -> None:
    value = float(loss)
    # if one process ended alone, the others would wait for it forever
    if not trainer.strategy.reduce_boolean_decision(not math.isfinite(value), all=False):
        return
    rates = " or ".join(
        f"{option_of(module, rate)} ({module.hparams[rate]:g})"
        for rate in ("head_rate", "encoder_rate")
        if module.hparams.get(rate)  # a rate of 0 cannot be lowered
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
