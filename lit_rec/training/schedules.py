"""Learning-rate schedules, as a factor of the rate by optimizer step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

from lit_rec.errors import ConfigError, option_of


class Schedule(ABC):
    """Warm up linearly over a share of the steps, then decay.

    Args:
        warmup_fraction: Share of all optimizer steps in which the rate rises from 0.

    Raises:
        ConfigError: If ``warmup_fraction`` is not in [0, 1).

    Example:
        >>> class SquareSchedule(Schedule):
        ...     def decay(self, progress: float) -> float:
        ...         return (1.0 - progress) ** 2
        >>> [SquareSchedule(warmup_fraction=0.2).factor(step, 5) for step in range(4)]  # one step of five warms up
        [0.5, 1.0, 0.5625, 0.25]
    """

    def __init__(self, warmup_fraction: float = 0.1) -> None:
        if not 0 <= warmup_fraction < 1:
            raise ConfigError(
                f"{warmup_fraction} is out of range",
                where=option_of(self, "warmup_fraction"),
                rule="at least 0 and below 1",
                remedy="0.1 suits fine-tuning",
            )
        self.warmup_fraction = warmup_fraction

    def factor(self, step: int, steps: int) -> float:
        """Return the factor at optimizer step ``step`` (from 0) of ``steps``."""
        warmup = self.warmup_fraction * steps
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return self.decay(min((step - warmup) / max(steps - warmup, 1), 1.0))

    @abstractmethod
    def decay(self, progress: float) -> float:
        """Return the factor after warm-up; ``progress`` runs from 0 to 1."""


class ConstantSchedule(Schedule):
    """Stay at the full rate after warm-up.

    Example:
        >>> [ConstantSchedule(warmup_fraction=0.5).factor(step, 6) for step in range(6)]
        [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """

    def decay(self, progress: float) -> float:
        """Return 1."""
        return 1.0


class LinearSchedule(Schedule):
    """Fall to 0 in a straight line, as BERT fine-tuning does.

    Example:
        >>> [LinearSchedule(0.0).factor(step, 4) for step in range(5)]
        [1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def decay(self, progress: float) -> float:
        """Return the factor on the line from 1 to 0."""
        return 1.0 - progress


class CosineSchedule(Schedule):
    """Fall to 0 along half a cosine.

    Reference:
        Loshchilov & Hutter 2017, SGDR, https://arxiv.org/abs/1608.03983.

    Example:
        >>> [round(CosineSchedule(0.0).factor(step, 4), 3) for step in range(5)]
        [1.0, 0.854, 0.5, 0.146, 0.0]
    """

    def decay(self, progress: float) -> float:
        """Return the factor on the cosine from 1 to 0."""
        return 0.5 * (1.0 + math.cos(math.pi * progress))


def planned_steps(trainer: Any) -> int:
    """Return how many optimizer steps a run will have, from its beginning to its end.

    Raises:
        ConfigError: If no end is set.
    """
    steps = trainer.estimated_stepping_batches
    if math.isinf(steps):
        raise ConfigError(
            "no end is set (-1)",
            where=option_of("Trainer", "max_epochs"),
            rule="a run whose number of steps is known: rates follow it",
            remedy=f"set {option_of('Trainer', 'max_epochs')} to a number, such as 3; max_time may end it before",
        )
    return int(steps)
