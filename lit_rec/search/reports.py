"""TrialReport: a callback that reports each validation of a trial, and ends the trial where it is asked to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import lightning
from lightning.pytorch.callbacks import Callback, EarlyStopping

from lit_rec.training.callbacks.monitors import DefaultMonitor, mode_of
from lit_rec.training.callbacks.run_folder import RunCheckpoint
from lit_rec.training.callbacks.run_record import HyperparameterRecord


class Value(NamedTuple):
    """A validation of a trial."""

    step: int  # which validation it is, from 1
    monitor: str
    mode: str
    value: float


class Pruned(SystemExit):
    """A trial ends early, on every process of it; no code has to catch it."""


class TrialReport(Callback, DefaultMonitor):
    """Report the metric that decides, after each validation; it is the one that RunCheckpoint waits for.

    The first process reports, and tells the others whether the trial goes on. It comes after RunCheckpoint.

    Args:
        on_validation: Gets each validation, and returns whether the trial shall end; called by the first process alone.

    Example:
        >>> report = TrialReport(lambda value: False)
        >>> report.wait_for("val/auc")
        >>> report.watched(lightning.Trainer(logger=False, accelerator="cpu", enable_progress_bar=False))
        ('val/auc', 'max')
    """

    def __init__(self, on_validation: Callable[[Value], bool]) -> None:
        self._on_validation = on_validation
        self._deciding = "val/loss"
        self._step = 0

    def wait_for(self, monitor: str) -> None:
        """Use this metric where no callback names another."""
        self._deciding = monitor

    def watched(self, trainer: lightning.Trainer) -> tuple[str, str]:
        """Return the metric that decides, and its mode."""
        callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
        for kind in (RunCheckpoint, EarlyStopping):
            for callback in callbacks:
                if isinstance(callback, kind):
                    return str(callback.monitor), str(callback.mode)
        return self._deciding, mode_of(self._deciding, None, where="TrialReport")

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Report, and end the trial where it is asked to and would go on.

        Raises:
            Pruned: If the trial shall end.
        """
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        self._step += 1
        monitor, mode = self.watched(trainer)
        ends = False
        if trainer.is_global_zero and monitor in trainer.callback_metrics:
            found = float(trainer.callback_metrics[monitor])
            ends = self._on_validation(Value(self._step, monitor, mode, found))
        if trainer.strategy.broadcast(ends) and not _is_last(trainer):
            trainer.strategy.barrier()  # all have it before one of them goes
            raise Pruned(0)


def _is_last(trainer: lightning.Trainer) -> bool:
    """Return whether training is over after this validation: nothing would be saved by ending it."""
    steps, epochs = trainer.max_steps, trainer.max_epochs
    last = epochs is not None and epochs >= 0 and trainer.current_epoch + 1 >= epochs
    return (0 <= steps <= trainer.global_step) or (last and trainer.is_last_batch)


class TrialOptions(HyperparameterRecord):
    """HyperparameterRecord without its row in TensorBoard's HPARAMS tab: a search writes its own."""

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Do nothing."""
