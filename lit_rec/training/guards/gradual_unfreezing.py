"""GradualUnfreezing: heads are trained first, then the encoder's layers one after another, the top one first."""

from __future__ import annotations

import math
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import nn

from lit_rec.errors import option_of
from lit_rec.models.networks.network import Network
from lit_rec.ranges import count, positive
from lit_rec.training.guards.guard import Guard, trained_encoder
from lit_rec.training.optimizer import layers_below_top


class GradualUnfreezing(Guard):
    """Begin with frozen layers, and train one layer more after each so many epochs, from the top; word vectors last.

    Gradients are computed for all weights, and those of layers that wait are dropped before clipping and the step, so
    that their weights, weight decay and moments stay untouched. The optimizer's groups and the graph of each step never
    change: a resumed run goes on bit by bit, and DDP finds a gradient for each parameter that it waits for. So it
    saves no time; ``TopLayersTuning`` does. What a tuning has frozen stays frozen.

    Args:
        epochs_per_layer: Epochs until one layer more is trained; a part of an epoch is counted in steps.
        first_layers: How many of the top layers are trained from the beginning; 0: heads alone.

    Raises:
        ConfigError: If ``epochs_per_layer`` is not above 0, or ``first_layers`` is negative. By ``on_fit_start``, if
            nothing of the encoder is trained, or its layers are not found.

    Reference:
        Howard & Ruder 2018, Universal language model fine-tuning, https://arxiv.org/abs/1801.06146, section 3.3.

    Example:
        >>> unfreezing = GradualUnfreezing(epochs_per_layer=0.5, first_layers=1)
        >>> [unfreezing.layers_at(step, steps_per_epoch=4) for step in range(6)]
        [1, 1, 2, 2, 3, 3]
    """

    def __init__(self, epochs_per_layer: float = 1.0, first_layers: int = 0) -> None:
        self.epochs_per_layer = positive(self, "epochs_per_layer", epochs_per_layer)
        self.first_layers = count(self, "first_layers", first_layers, 0)
        self._waiting: list[tuple[int, nn.Parameter]] = []

    def check(self, trainer: lightning.Trainer, network: Network) -> None:
        """Find the layers.

        Raises:
            ConfigError: As the class says.
        """
        backbone = trained_encoder(self, network)
        name = type(self).__name__
        below = layers_below_top(backbone, name, f"leave {name} out")
        trained = [weight for weight in backbone.parameters() if weight.requires_grad]
        self._waiting = [(below[id(weight)][1], weight) for weight in trained]

    def layers_at(self, step: int, steps_per_epoch: int) -> int:
        """Return how many of the top layers are trained in an optimizer step, from 0."""
        each = self.epochs_per_layer * steps_per_epoch
        return self.first_layers + math.floor(step / each + 1e-9)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Warn if the run ends before all layers are trained."""
        last = int(trainer.estimated_stepping_batches) - 1
        trained = self.layers_at(last, _steps_per_epoch(trainer))
        left = len({depth for depth, _ in self._waiting if depth >= trained})
        if left:
            rank_zero_warn(
                f"The run ends before the lowest {left} layers of the encoder (word vectors count as one) are trained: "
                f"lower {option_of(self, 'epochs_per_layer')}, or raise {option_of(self, 'first_layers')}."
            )

    def on_before_optimizer_step(
        self, trainer: lightning.Trainer, pl_module: Any, optimizer: torch.optim.Optimizer
    ) -> None:
        """Drop the gradients of layers that wait."""
        trained = self.layers_at(trainer.global_step, _steps_per_epoch(trainer))
        for depth, weight in self._waiting:
            if depth >= trained:
                weight.grad = None


def _steps_per_epoch(trainer: lightning.Trainer) -> int:
    return max(1, math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches))
