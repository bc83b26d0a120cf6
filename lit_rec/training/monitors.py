"""Metrics that callbacks wait for: a wrong name is refused before training, or else the first time it is missed."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import lightning
from lightning.pytorch.callbacks import Callback, LambdaCallback, LearningRateMonitor

from lit_rec.errors import ConfigError

_LOSSES = ("train/loss", "train/loss_step", "val/loss")
# what fit logs, by task
METRICS = {
    "rating": (*_LOSSES, "val/rmse", "val/mae"),
    "label": (*_LOSSES, "val/accuracy", "val/macro_f1", "val/auc"),
}


def check_monitors(trainer: lightning.Trainer, task: str) -> None:
    """Refuse a metric that nobody will log, before training rather than after an epoch of it.

    A callback that is neither Lightning's nor lit_rec's may log names of its own; where there is one, nothing is refused here.

    Args:
        trainer: The Trainer with its callbacks.
        task: ``rating`` or ``label``.

    Raises:
        ConfigError: If a callback waits for a metric that is not logged.
    """
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    if any(_may_log_anything(callback) for callback in callbacks):
        return
    has_rates = any(isinstance(callback, LearningRateMonitor) for callback in callbacks)
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if monitor is None or monitor in METRICS[task] or (has_rates and monitor.startswith("lr-")):
            continue
        raise _unknown_metric(callback, METRICS[task])


def missed_metric(trainer: lightning.Trainer, error: Exception) -> ConfigError | None:
    """Return what to say if ``error`` came of a callback whose metric was not logged; None: it came of something else.

    Args:
        trainer: The Trainer that stopped.
        error: What it stopped by.
    """
    there = sorted(trainer.callback_metrics)
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and monitor not in there and monitor in str(error):
            return _unknown_metric(callback, there)
    return None


def _may_log_anything(callback: Callback) -> bool:
    package = type(callback).__module__.partition(".")[0]
    return package not in ("lightning", "lit_rec") or isinstance(callback, LambdaCallback)


def _unknown_metric(callback: Callback, there: Iterable[str]) -> ConfigError:
    monitor = str(getattr(callback, "monitor", None))
    names = list(there)
    near = get_close_matches(monitor, names, n=1)
    return ConfigError(
        f"there is no metric '{monitor}'",
        where=f"trainer.callbacks, monitor of {type(callback).__name__}",
        rule=f"one of {', '.join(names)}",
        remedy=f"did you mean '{near[0]}'?" if near else "name one of these metrics",
    )
