"""Obstacles that a run would meet after its first steps, checked before it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import lightning

from lit_rec.errors import ConfigError, LitRecError
from lit_rec.training.callbacks.run_folder import RunCheckpoint, run_folder


def raise_together(
    *steps: Callable[[], object], worded: Callable[[LitRecError], LitRecError]
) -> None:
    """Run independent steps, write the errors of all of them, and raise the last.

    Args:
        steps: Functions that may fail.
        worded: Changes an error to name options as the user wrote them.

    Raises:
        LitRecError: If a step fails.
    """
    found: dict[str, LitRecError] = {}
    for step in steps:
        try:
            step()
        except LitRecError as error:
            ours = worded(error)
            found[str(ours)] = ours  # one obstacle may stop two steps
    messages = list(found)
    for message in messages[:-1]:
        sys.stderr.write(f"lit_rec: {message}\n")
    if messages:
        raise found[messages[-1]]


def check_folder(trainer: lightning.Trainer) -> None:
    """Check that the run's folder can be made.

    Raises:
        ConfigError: If it cannot.
    """
    if trainer.fast_dev_run:  # type: ignore[attr-defined]
        return
    named = [one.dirpath for one in trainer.checkpoint_callbacks if isinstance(one, RunCheckpoint)]
    # without a logger, run_folder would make a folder to find the next number
    is_made = trainer.logger is None and not any(named)
    folder = Path(trainer.default_root_dir, "checkpoints") if is_made else run_folder(trainer)
    folder = folder.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise ConfigError(
            f"{there} is {'a folder that this user cannot write' if there.is_dir() else 'a file'}",
            where=f"the run's folder {folder}",
            rule="a folder that can be made",
            remedy="choose another: trainer.logger.init_args.save_dir",
        )


def check_monitored(trainer: lightning.Trainer) -> None:
    """Check that no callback waits for a metric of the validation where there is no validation.

    Raises:
        ConfigError: If one does.
    """
    if trainer.limit_val_batches or trainer.fast_dev_run:  # type: ignore[attr-defined]
        return
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        monitor = getattr(callback, "monitor", None)
        if monitor is not None and monitor.startswith("val/"):
            raise ConfigError(
                f"there is no metric '{monitor}' without validation",
                where=f"trainer.limit_val_batches=0, monitor of {type(callback).__name__}",
                rule="one of train/loss, train/loss_step",
                remedy="leave trainer.limit_val_batches out, or name one of these metrics",
            )
