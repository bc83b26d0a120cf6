"""The metrics that callbacks monitor: defaults by task, and errors for names that nobody logs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable

import lightning
from lightning.pytorch.callbacks import Callback, LambdaCallback, LearningRateMonitor

from lit_rec.errors import ConfigError, did_you_mean, option_of
from lit_rec.tasks.registry import all_tasks
from lit_rec.tasks.task import Task

_LOSSES = ("train/loss", "train/loss_step", "val/loss")


def logged_names(task: Task) -> tuple[str, ...]:
    """Return the names of all metrics that ``fit`` may log for a task.

    Example:
        >>> from lit_rec.tasks.registry import task_named
        >>> logged_names(task_named("rating"))
        ('train/loss', 'train/loss_step', 'val/loss', 'val/rmse', 'val/mae')
    """
    return (*_LOSSES, *(f"val/{name}" for name in task.logged))


class DefaultMonitor(ABC):
    """A callback with a default metric, which is chosen when the logged metrics are known.

    Example:
        >>> class Watching(Callback, DefaultMonitor):
        ...     def wait_for(self, monitor: str) -> None:
        ...         self.monitor = monitor
        >>> watching = Watching()
        >>> watching.wait_for("val/rmse")
        >>> watching.monitor
        'val/rmse'
    """

    @abstractmethod
    def wait_for(self, monitor: str) -> None:
        """Use this metric unless the user named another."""


def mode_of(monitor: str | None, mode: str | None, *, where: str) -> str:
    """Return whether small (``min``) or large (``max``) values are good.

    Args:
        monitor: A metric; None: the default metric, which has its own mode.
        mode: The user's choice; None: the metric's own mode, by the first registered task that logs it; ``min`` for a
            metric that no task logs.
        where: The callback, for the error.

    Raises:
        ConfigError: If a mode is named for no metric.

    Example:
        >>> mode_of("val/auc", None, where="RunCheckpoint")
        'max'
    """
    if mode is not None and monitor is None:
        raise ConfigError(
            f"'{mode}', but no metric is named",
            where=option_of(where, "mode"),
            rule="a mode together with a monitor; the default metric has its own mode",
            remedy="name the monitor as well, or leave the mode out",
        )
    stage, _, metric = (monitor or "").partition("/")
    # the first task that logs it: one registered later does not change the mode of a known metric
    task = next((one for one in all_tasks() if stage == "val" and metric in one.logged), None)
    return mode or ("max" if task and metric not in task.errors else "min")


def settle_monitors(trainer: lightning.Trainer, task: Task, logged: Iterable[object]) -> None:
    """Set the default metric of callbacks without one, and refuse metrics that this data does not have.

    Args:
        trainer: The Trainer with its callbacks.
        task: What is predicted; the first of its ``deciding`` metrics that is logged decides.
        logged: Names of the metrics that validation will log, apart from the loss.

    Raises:
        ConfigError: If a callback monitors a metric of other data, such as one of impressions where there are none; or
            none of the task's ``deciding`` metrics is logged.
    """
    names = [*_LOSSES, *map(str, logged)]
    deciding = next((f"val/{name}" for name in task.deciding if f"val/{name}" in names), None)
    if deciding is None:
        raise ConfigError(
            f"none of {', '.join(task.deciding)} is logged",
            where=option_of(task, "deciding"),
            rule=f"one of the metrics that the task's `metrics` returns: {', '.join(names)}",
            remedy="add one of them to deciding, without `val/`",
        )
    known = {name for one in all_tasks() for name in logged_names(one)}
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    free = any(_may_log_anything(callback) for callback in callbacks)
    for callback in callbacks:
        if isinstance(callback, DefaultMonitor):
            callback.wait_for(deciding)
        monitor = getattr(callback, "monitor", None)
        if monitor in known and monitor not in names and not free:
            raise _unknown_metric(callback, names)


def check_monitors(trainer: lightning.Trainer, names: Collection[str]) -> None:
    """Refuse a metric that nobody will log, before training and not after its first epoch.

    A callback that is neither Lightning's nor lit_rec's may log other names. If there is one, nothing is refused here.

    Args:
        trainer: The Trainer with its callbacks.
        names: What is logged, apart from learning rates.

    Raises:
        ConfigError: If a callback monitors a metric that is not logged.
    """
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    if any(_may_log_anything(callback) for callback in callbacks):
        return
    has_rates = any(isinstance(callback, LearningRateMonitor) for callback in callbacks)
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if monitor is None or monitor in names or (has_rates and monitor.startswith("lr-")):
            continue
        raise _unknown_metric(callback, names)


def missed_metric(trainer: lightning.Trainer, error: Exception) -> ConfigError | None:
    """Return the error to show if a callback's metric was not logged; None if ``error`` has another cause.

    Args:
        trainer: The Trainer that stopped.
        error: The error that stopped it.
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
    return ConfigError(
        f"there is no metric '{monitor}'",
        where=option_of(callback, "monitor"),
        rule=f"one of {', '.join(names)}",
        remedy=did_you_mean(monitor, names, "name one of these metrics"),
    )
