"""Augmentation: what every way to change training texts or histories has."""

from __future__ import annotations

from abc import ABC, abstractmethod

from lit_rec.ranges import part_of_all


class Augmentation(ABC):
    """A way to change texts or histories while training; validation, test and answers never see a change.

    Args:
        rate: Share of a training step's texts, or of its histories, that are changed in this way.

    Raises:
        ConfigError: If ``rate`` is not above 0 and up to 1.
    """

    def __init__(self, rate: float = 0.2) -> None:
        self.rate = part_of_all(self, "rate", rate)

    @property
    @abstractmethod
    def changes(self) -> str:
        """What it changes: ``texts`` or ``histories``."""
