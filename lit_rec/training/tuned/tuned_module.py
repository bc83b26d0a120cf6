"""The LightningModule that LitRec is made from: the tuning of its encoder follows the steps of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lit_rec.models.text.backbone import Backbone
from lit_rec.progress import say
from lit_rec.training.checkpoint.base_weights import complete, leave_out
from lit_rec.training.checkpoint.content import KEY
from lit_rec.training.schedules import planned_steps

_ENTRY = "tuning"  # of a checkpoint


class TunedModule(lightning.LightningModule):
    """A LightningModule that calls the ``Tuning`` of its encoder at the steps of a run; see there.

    Its checkpoints may hold only what was trained.
    """

    bases: Sequence[str] = ()  # where the rest of such a checkpoint's encoder may be, too
    # of the encoder, while a checkpoint is saved that holds only what was trained
    base_fingerprint: str | None = None
    _tuning_state: Any = None  # of the checkpoint that a run resumes from

    def _tuned(self) -> Backbone | None:
        network: Any = getattr(self, "network", None)
        return None if network is None else network.backbone

    def on_train_start(self) -> None:
        """Let the tuning begin, or go on."""
        if (backbone := self._tuned()) is None:
            return
        backbone.tuning.begin_training(backbone.model, planned_steps(self.trainer))
        if self._tuning_state is not None:
            backbone.tuning.restore_training(self._tuning_state)
        self._tuning_state = None

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Add the gradient of the tuning's penalty to that of the losses."""
        if (backbone := self._tuned()) is None:
            return
        with torch.enable_grad(), torch.autocast(self.device.type, enabled=False):
            penalty = backbone.tuning.penalty(backbone.model)
        if penalty is not None:
            add_gradients(penalty * self._scale(optimizer), backbone.model)

    def _scale(self, optimizer: Any) -> float:
        """Return by what the gradients are multiplied: an optimizer may divide by the scale of float16 itself."""
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        itself = getattr(optimizer, "_step_supports_amp_scaling", False)
        return float(scaler.get_scale()) if scaler is not None and itself else 1.0

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step, and let the tuning follow: before a callback averages or saves the weights."""
        super().optimizer_step(*args, **kwargs)
        if (backbone := self._tuned()) is not None:
            # Lightning counts the step only after this
            backbone.tuning.after_step(backbone.model, self.trainer.global_step + 1)

    def on_train_end(self) -> None:
        """Say what the tuning remarks."""
        if (backbone := self._tuned()) is not None:
            remark = backbone.tuning.end_training(backbone.model, self.trainer.global_step)
            if remark is not None:
                say(remark)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what the tuning has to remember; leave out what is in the encoder's folder, if that is asked."""
        state = {} if (backbone := self._tuned()) is None else backbone.tuning.training_state()
        if state:
            checkpoint[_ENTRY] = {name: held.detach().cpu().clone() for name, held in state.items()}
        if self.base_fingerprint is not None:
            leave_out(checkpoint, checkpoint[KEY], self, self.base_fingerprint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what was left out; keep what the tuning has remembered, until the run goes on."""
        where = f"--ckpt_path {self.trainer.ckpt_path}"
        complete(checkpoint, checkpoint[KEY], where, bases=self.bases, module=self)
        if self.trainer.state.fn == "fit":
            self._tuning_state = checkpoint.get(_ENTRY, {})


def add_gradients(total: Tensor, module: nn.Module) -> None:
    """Add the gradient of a scalar to that of a module's parameters.

    Example:
        >>> layer = nn.Linear(1, 1)
        >>> for _ in range(2):
        ...     add_gradients(3 * layer.weight.sum(), layer)
        >>> layer.weight.grad, layer.bias.grad
        (tensor([[6.]]), None)
    """
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    found = torch.autograd.grad(total, trained, allow_unused=True)
    for parameter, gradient in zip(trained, found, strict=True):
        if gradient is not None:
            parameter.grad = gradient if parameter.grad is None else parameter.grad.add_(gradient)
