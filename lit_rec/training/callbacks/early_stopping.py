"""RunEarlyStopping: end a run that no longer improves, by the metric that decides which checkpoint is best."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch.callbacks import EarlyStopping

from lit_rec.training.callbacks.monitors import DefaultMonitor, mode_of


class RunEarlyStopping(EarlyStopping, DefaultMonitor):
    """End a run if its validation metric has not improved for some time.

    Args:
        monitor: The metric; by default that of RunCheckpoint: RMSE of ratings, nDCG@10 of the next item, and
            of labels the AUC within impressions where there are some, else the AUC of two labels, else accuracy.
        mode: Whether small (``min``) or large (``max``) is good; by default the metric's own.
        patience: Number of validations without a better value after which the run ends.
        min_delta: Smallest difference that counts as better.
        options: Further options of Lightning's EarlyStopping.

    Raises:
        ConfigError: If a mode is named without a monitor.

    Reference:
        Prechelt 1998, Early stopping - but when?, https://doi.org/10.1007/3-540-49430-8_3.

    Example:
        >>> stopping = RunEarlyStopping(patience=2)
        >>> stopping.wait_for("val/auc")  # as LitRec does, once it is known what will be logged
        >>> stopping.monitor, stopping.mode
        ('val/auc', 'max')
    """

    def __init__(
        self,
        monitor: str | None = None,
        mode: str | None = None,
        patience: int = 3,
        min_delta: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(
            monitor=monitor or "val/loss",  # until it is known what will be logged
            mode=mode_of(monitor, mode, where="RunEarlyStopping"),
            patience=patience,
            min_delta=min_delta,
            **options,
        )
        self._is_named = monitor is not None
        self._least_gain = min_delta

    def wait_for(self, monitor: str) -> None:
        """Use this metric unless the user named another."""
        if not self._is_named and self.monitor != monitor:
            self.monitor, self.mode = monitor, mode_of(monitor, None, where="RunEarlyStopping")
            sign = 1 if self.mode == "max" else -1
            self.min_delta = sign * self._least_gain
            self.best_score = torch.tensor(-sign * torch.inf)
