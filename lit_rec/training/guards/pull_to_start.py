"""PullToStart: each step pulls the encoder back towards its pretrained weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lightning
import torch
from torch import Tensor

from lit_rec.errors import ConfigError, option_of
from lit_rec.models.networks.network import Network
from lit_rec.ranges import not_negative
from lit_rec.training.guards.guard import Guard, refuse_sharded, trained_encoder
from lit_rec.training.guards.start_weights import StartWeights


class PullToStart(Guard):
    """L2 towards the start (L2-SP), decoupled from gradients: ``w <- w - rate * strength * (w - start)`` in each step.

    It does to the encoder's trained weights what AdamW's weight decay does, but towards the weights that the run began
    with instead of 0: what was pretrained changes only where the data insists. Set ``encoder_decay`` to 0 beside it.
    Heads have no start worth keeping; their decay is ``head_decay``. ``rate`` is that of the weight's group in the
    present step. A checkpoint grows by a copy of the trained weights.

    Args:
        strength: Strength of the pull; with a rate of 2e-5, 100 goes back by 0.2 % of the way in each step.

    Raises:
        ConfigError: If ``strength`` is negative. When a run begins, if nothing of the encoder is trained, it is divided
            among processes, or a step would go beyond the start.

    Reference:
        Li et al. 2018, Explicit inductive bias for transfer learning, https://arxiv.org/abs/1802.01483. Loshchilov &
        Hutter 2019, https://arxiv.org/abs/1711.05101 (decoupled). Chen et al. 2020, Recall and learn,
        https://arxiv.org/abs/2004.12651 (both together).

    Example:
        >>> PullToStart(strength=50.0).state_dict()
        {'start': None}
    """

    def __init__(self, strength: float = 100.0) -> None:
        self.strength = not_negative(self, "strength", strength)
        self._start = StartWeights(type(self).__name__)
        self._of_weight: dict[int, Tensor] = {}

    def check(self, trainer: lightning.Trainer, network: Network) -> None:
        """Copy the weights.

        Raises:
            ConfigError: As the class says.
        """
        refuse_sharded(self, trainer)
        trained = self._pulled_weights(network)
        start = self._start.of(trained)
        self._of_weight = {id(weight): start[name] for name, weight in trained.items()}

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Check the strength beside the rates.

        Raises:
            ConfigError: If a step would go beyond the start.
        """
        largest = max(
            (group.get("initial_lr", group["lr"]) for group, _ in self._pulled(trainer)),
            default=0.0,
        )
        back = largest * self.strength
        if back > 1:
            raise ConfigError(
                f"{self.strength:g} at a rate of {largest:g} goes back {back:g} times the way in a step",
                where=option_of(self, "strength"),
                rule="rate * strength at most 1",
                remedy=f"set {option_of(self, 'strength')} to {0.01 / largest:.3g}: a hundredth of the way",
            )  # fmt: skip

    @torch.no_grad()
    def on_before_optimizer_step(
        self, trainer: lightning.Trainer, pl_module: Any, optimizer: torch.optim.Optimizer
    ) -> None:
        """Pull, as AdamW does before its step."""
        for group, weights in self._pulled(trainer):
            for weight, start in weights:
                weight.data.lerp_(start, group["lr"] * self.strength)

    def copied(self, network: Network) -> Iterable[Tensor]:
        """Return the encoder's trained weights."""
        return self._pulled_weights(network).values()

    def state_dict(self) -> dict[str, Any]:
        """Return the start."""
        return self._start.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the start of the resumed run."""
        self._start.load_state_dict(state_dict)

    def _pulled_weights(self, network: Network) -> dict[str, Tensor]:
        named = trained_encoder(self, network).named_parameters()
        return {name: weight for name, weight in named if weight.requires_grad}

    def _pulled(
        self, trainer: lightning.Trainer
    ) -> list[tuple[dict[str, Any], list[tuple[Tensor, Tensor]]]]:
        """Return the groups that hold weights of the encoder, with these and their start."""
        groups = [group for one in trainer.optimizers for group in one.param_groups]
        own = self._of_weight
        pairs = [[(w, own[id(w)]) for w in group["params"] if id(w) in own] for group in groups]
        return [(group, found) for group, found in zip(groups, pairs, strict=True) if found]
