"""Mixout: in each pass, some weights of the encoder are those that it began with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from lit_rec.errors import ConfigError, option_of
from lit_rec.models.networks.network import Network
from lit_rec.training.guards.guard import Guard, refuse_sharded, trained_matrices
from lit_rec.training.guards.start_weights import StartWeights


class Mixout(Guard):
    """Dropout of what was learned: in each training pass a share of the weights are those the run began with.

    Each number of the trained matrices in the encoder's layers is replaced with probability ``share``, and the result
    is corrected so that its mean is the present weight: ``(mixed - share * start) / (1 - share)``. All texts of a pass
    meet the same weights, also where chunks are computed again. Validation uses the present weights. A checkpoint grows
    by a copy of these matrices.

    Args:
        share: Share of the numbers that are replaced; 0: none.

    Raises:
        ConfigError: If ``share`` is not from 0 to below 1. By ``on_fit_start``, if no matrix of the encoder's layers is
            trained, or it is divided among processes.

    Reference:
        Lee et al. 2020, Mixout: effective regularization to finetune large-scale pretrained language models,
        https://arxiv.org/abs/1909.11299.

    Example:
        >>> weight, start = torch.full((1, 4), 3.0), torch.ones(1, 4)
        >>> sorted(set(mixed(weight, start, 0.5, torch.tensor([[True, False, True, False]])).flatten().tolist()))
        [1.0, 5.0]
    """

    def __init__(self, share: float = 0.1) -> None:
        if not 0 <= share < 1:
            raise ConfigError(
                f"{share} cannot be used",
                where=option_of(self, "share"),
                rule="a share from 0 to below 1: with 1 nothing that is learned would be left",
                remedy=f"set {option_of(self, 'share')} to 0.1",
            )
        self.share = share
        self._start = StartWeights(type(self).__name__)
        self._parts: list[tuple[nn.Module, nn.Parameter, Tensor]] = []

    def check(self, trainer: lightning.Trainer, network: Network) -> None:
        """Copy the matrices.

        Raises:
            ConfigError: As the class says.
        """
        refuse_sharded(self, trainer)
        found = trained_matrices(self, network)
        start = self._start.of({name: weight for name, (_, weight) in found.items()})
        self._parts = [(module, weight, start[name]) for name, (module, weight) in found.items()]

    def before_pass(self) -> None:
        """Mix anew."""
        if not self.share:
            return
        for module, weight, start in self._parts:
            replaced = torch.rand(weight.shape, device=weight.device) < self.share
            # found before the parameter of that name, which stays where it is for the optimizer and for checkpoints
            module.__dict__["weight"] = mixed(weight, start, self.share, replaced)

    def after_backward(self) -> None:
        """Use the weights as they are."""
        for module, _, _ in self._parts:
            module.__dict__.pop("weight", None)

    def copied(self, network: Network) -> Iterable[Tensor]:
        """Return the matrices that are mixed."""
        return [weight for _, weight in trained_matrices(self, network).values()]

    def state_dict(self) -> dict[str, Any]:
        """Return the start."""
        return self._start.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the start of the resumed run."""
        self._start.load_state_dict(state_dict)


def mixed(weight: Tensor, start: Tensor, share: float, replaced: Tensor) -> Tensor:
    """Return weights of which some are replaced by the start; over draws, their mean is the weight.

    Args:
        weight: The present weights.
        start: The weights of the start, of the same shape.
        share: Share that is replaced.
        replaced: Which are replaced in this pass, bool.
    """
    return (torch.where(replaced, start, weight) - share * start) / (1 - share)
