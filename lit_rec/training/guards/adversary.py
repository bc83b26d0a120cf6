"""Adversary: the base of guards that train at the worst place near the present one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning
from torch import Tensor

from lit_rec import ranges
from lit_rec.errors import ConfigError, option_of
from lit_rec.training.guards.guard import Guard, refuse_sharded


class Adversary(Guard):
    """Move something in the direction in which the loss rises, and train there, too.

    What is minimised is ``(1 - share) * plain loss + share * loss at the moved place``, where the place counts as a
    constant. With several adversaries each has its share, and the plain loss has the rest. Logged losses are the plain
    ones. Each micro-batch and each process has its own direction.

    Args:
        radius: How far, as a part of the length of what is moved; 0: nothing is moved, and there is no second pass.
        share: Share of the loss at the moved place.
        start_epoch: The first epoch, from 0, in which something is moved.

    Raises:
        ConfigError: If an option is out of range, or the shares of all adversaries are above 1 together.
    """

    steps = 1

    def __init__(self, radius: float, share: float, start_epoch: int) -> None:
        self.radius = ranges.not_negative(self, "radius", radius)
        self.share = ranges.share(self, "share", share)
        self.start_epoch = ranges.count(self, "start_epoch", start_epoch, 0)

    def check(self, trainer: lightning.Trainer, network: Any) -> None:
        """Check the strategy, and the shares of all adversaries.

        Raises:
            ConfigError: As the class says, or if processes share the encoder.
        """
        refuse_sharded(self, trainer)
        callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
        adversaries = [each for each in callbacks if isinstance(each, Adversary)]
        shares = sum(adversary.share for adversary in adversaries)
        if shares > 1 + 1e-9:
            names = " and ".join(type(adversary).__name__ for adversary in adversaries)
            raise ConfigError(
                f"shares of {shares:g} together ({names})",
                where=option_of(self, "share"),
                rule="at most 1 for all adversaries: the plain loss has the rest",
                remedy=f"set the share of each to {1 / (len(adversaries) + 1):.2g}",
            )

    def acts(self, trainer: lightning.Trainer) -> bool:
        """Return whether it takes part in the present step."""
        begun = trainer.current_epoch >= self.start_epoch
        return begun and self.radius > 0 and self.share > 0

    def watch(self) -> None:
        """Prepare the plain pass, so that ``leaves`` get gradients; ``after_backward`` ends it."""

    def leaves(self) -> Sequence[Tensor]:
        """Return what the gradients of the last pass are asked of."""
        raise ValueError(f"{type(self).__name__} moves nothing")

    def aim(self, gradients: Sequence[Tensor | None]) -> None:
        """Choose the place from the gradients of ``leaves``; None: a leaf has none."""

    def perturb(self, *, final: bool) -> None:
        """Move to the place, until ``after_backward``.

        Args:
            final: Whether the loss there is trained; otherwise ``leaves`` get gradients for the next ``aim``.
        """
