"""AWP: train with weights that are moved to where the loss is higher."""

from __future__ import annotations

from collections.abc import Sequence

import lightning
import torch
from torch import Tensor

from lit_rec.models.networks.network import Network
from lit_rec.training.guards.adversary import Adversary
from lit_rec.training.guards.guard import trained_matrices


class AWP(Adversary):
    """Adversarial weight perturbation: train also with weights that are moved to where the loss is higher.

    Each trained matrix of the encoder's layers moves along its gradient by ``radius`` of its own length. Gradients are
    taken there, and the optimizer steps from the weights as they were. A step of training takes two forward and
    backward passes, and memory for a copy of these matrices and of their gradients.

    Args:
        radius: How far, as a part of the length of a matrix.
        share: Share of the loss at the moved place; the plain loss has the rest. In the paper it is 1.
        start_epoch: The first epoch, from 0, in which something is moved.

    Raises:
        ConfigError: If an option is out of range. By ``on_fit_start``, if no matrix of the encoder's layers is trained,
            or it is divided among processes.

    Reference:
        Wu et al. 2020, Adversarial weight perturbation helps robust generalization, https://arxiv.org/abs/2004.05884.

    Example:
        >>> AWP(start_epoch=1).radius
        0.001
    """

    def __init__(self, radius: float = 0.001, share: float = 0.5, start_epoch: int = 0) -> None:
        super().__init__(radius, share, start_epoch)
        self._weights: list[Tensor] = []
        self._moved: list[Tensor] = []
        self._kept: list[Tensor] | None = None

    def check(self, trainer: lightning.Trainer, network: Network) -> None:
        """Find the matrices.

        Raises:
            ConfigError: As the class says.
        """
        super().check(trainer, network)
        self._weights = [weight for _, weight in trained_matrices(self, network).values()]

    def leaves(self) -> Sequence[Tensor]:
        """Return the matrices."""
        return self._weights

    @torch.no_grad()
    def aim(self, gradients: Sequence[Tensor | None]) -> None:
        """Choose how far each matrix moves."""
        self._moved = []
        for weight, gradient in zip(self._weights, gradients, strict=True):
            along = torch.zeros_like(weight) if gradient is None else gradient.nan_to_num(0, 0, 0)
            length = torch.linalg.vector_norm(along).clamp(min=1e-30)
            factor = self.radius * torch.linalg.vector_norm(weight) / length
            self._moved.append(weight + factor * along)

    @torch.no_grad()
    def perturb(self, *, final: bool) -> None:
        """Move the matrices."""
        self._kept = [weight.clone() for weight in self._weights]
        for weight, moved in zip(self._weights, self._moved, strict=True):
            weight.data.copy_(moved)
        self._moved = []

    @torch.no_grad()
    def after_backward(self) -> None:
        """Put the weights back, bit by bit."""
        if self._kept is not None:
            for weight, kept in zip(self._weights, self._kept, strict=True):
                weight.data.copy_(kept)
            self._kept = None
