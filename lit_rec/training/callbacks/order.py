"""The order of a run's callbacks, and which of them are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import lightning
from lightning.pytorch.callbacks import (
    Callback,
    LearningRateMonitor,
    ModelSummary,
    ProgressBar,
    StochasticWeightAveraging,
)
from lightning.pytorch.utilities.model_helpers import is_overridden

from lit_rec.errors import ConfigError, option_of
from lit_rec.training.callbacks.epoch_lines import EpochLines
from lit_rec.training.callbacks.parts_summary import PartsSummary


class NetworkFirst(Callback):
    """Build the network before other callbacks are set up.

    StochasticWeightAveraging copies the module in its ``setup``, before Lightning builds the network. Without this
    callback before it, it would silently average nothing.

    Example:
        >>> averaging = StochasticWeightAveraging(swa_lrs=1e-3)
        >>> [type(callback).__name__ for callback in arranged([averaging], logs=True)]  # as the command line does
        ['NetworkFirst', 'StochasticWeightAveraging']
    """

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Build it."""
        pl_module.configure_model()


def _refuse_twins(callbacks: list[Callback]) -> None:
    states = Counter(c.state_key for c in callbacks if is_overridden("state_dict", instance=c))
    for callback in callbacks:
        if states[callback.state_key] > 1:
            raise ConfigError(
                f"{type(callback).__name__} is there {states[callback.state_key]} times "
                "with the same metric or settings",
                where=option_of("Trainer", "callbacks"),
                rule="a checkpoint holds one state for each callback",
                remedy="leave one of them, or give them different metrics",
            )


def arranged(callbacks: list[Callback], *, logs: bool) -> list[Callback]:
    """Put NetworkFirst before StochasticWeightAveraging, and leave out LearningRateMonitor without a logger.

    Args:
        callbacks: As the configuration names them.
        logs: Whether the run has a logger; Lightning refuses a LearningRateMonitor without one.

    Raises:
        ConfigError: If two callbacks would store their state under the same name.
    """
    _refuse_twins(callbacks)
    if not logs:
        callbacks = [c for c in callbacks if not isinstance(c, LearningRateMonitor)]
    if any(isinstance(callback, StochasticWeightAveraging) for callback in callbacks):
        return [NetworkFirst(), *callbacks]
    return callbacks


def with_screen(callbacks: list[Callback], options: Mapping[str, Any]) -> list[Callback]:
    """Add what a run shows, in place of Lightning's bar and summary, unless the user has others or wants none.

    They come first: the bar has to be gone before a report is shown.

    Args:
        callbacks: As ``arranged`` returns them.
        options: The Trainer's.

    Example:
        >>> [type(one).__name__ for one in with_screen([], {"enable_model_summary": False})]
        ['EpochLines']
    """
    shown: list[Callback] = []
    if options.get("barebones"):
        return callbacks
    for name, kind, own in (
        ("enable_progress_bar", ProgressBar, EpochLines),
        ("enable_model_summary", ModelSummary, PartsSummary),
    ):
        wanted = options.get(name) is not False
        if wanted and not any(isinstance(callback, kind) for callback in callbacks):
            shown.append(own())
    return [*shown, *callbacks]
