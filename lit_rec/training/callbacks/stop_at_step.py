"""StopAtStep: after a signal, end a run at an optimizer step and save a last.ckpt that resumes exactly there."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import lightning
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch.callbacks import Callback

from lit_rec.stopping import Stopped, stop
from lit_rec.training.callbacks.run_folder import RunCheckpoint, pauses


class StopAtStep(Callback):
    """End at the next step after a signal, on every process at the same step.

    If a validation runs or follows the step, it is finished first, and ``last.ckpt`` is saved after it as usual. This
    callback comes after all others, so that the checkpoint holds their states after the step.

    Example:
        >>> trainer = lightning.Trainer(logger=False, accelerator="cpu", enable_progress_bar=False)
        >>> listen(trainer)
        >>> type(trainer.callbacks[-1]).__name__
        'StopAtStep'
    """

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Set the message for a run that is ended before its first step."""
        if trainer.state.fn == "fit":
            stop.place = "before the first step of this run"
            path = trainer.ckpt_path
            stop.remedy = (
                f"go on with --ckpt_path {path}" if path else "nothing is lost: begin again"
            )

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """From now on, end at a step after a signal, and not at once."""
        self._describe(trainer)
        stop.waits = True

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """End, unless gradients are being accumulated or a validation follows.

        Raises:
            Stopped: If a signal has asked for it.
        """
        whole = not trainer.fit_loop.epoch_loop._should_accumulate()
        if whole and not pauses(trainer):
            self._end(trainer)

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """End after a validation within an epoch; ``last.ckpt`` has been saved.

        Raises:
            Stopped: If a signal has asked for it.
        """
        if trainer.state.fn == "fit" and not trainer.sanity_checking and not trainer.is_last_batch:
            self._end(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """End after an epoch, unless it is the last.

        Raises:
            Stopped: If a signal has asked for it.
        """
        if trainer.max_epochs != trainer.current_epoch + 1:
            self._end(trainer)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """From now on, end at once after a signal."""
        stop.waits = False

    def on_exception(self, trainer: lightning.Trainer, pl_module: Any, exception: Any) -> None:
        """Set the message for what is saved now."""
        stop.waits = False
        if trainer.state.fn == "fit" and trainer.global_step:
            self._describe(trainer)

    def _end(self, trainer: lightning.Trainer) -> None:
        # if one process ended alone, the others would wait for it forever
        if not trainer.strategy.reduce_boolean_decision(stop.asked is not None, all=False):
            return
        for checkpoint in trainer.checkpoint_callbacks:
            if isinstance(checkpoint, RunCheckpoint):
                checkpoint.save_newest(trainer)
        self._describe(trainer)
        trainer.strategy.barrier()
        stopped = Stopped(stop.asked or signal.SIGTERM)  # another process may have got it
        if is_child(trainer):
            stopped.code = 0  # the process that launched this one answers for all
        raise stopped

    def _describe(self, trainer: lightning.Trainer) -> None:
        stop.place = f"after step {trainer.global_step}" if trainer.global_step else "before step 1"
        stop.remedy = "nothing was saved: the configuration has no RunCheckpoint"
        for checkpoint in trainer.checkpoint_callbacks:
            if isinstance(checkpoint, RunCheckpoint):
                stop.remedy = _remedy(checkpoint.folder(trainer))


def _remedy(folder: Path) -> str:
    if not (folder / "last.ckpt").is_file():
        return "nothing has been saved yet: begin again"
    return f"go on with: lit-rec fit -c {folder / 'config.yaml'} --ckpt_path {folder / 'last.ckpt'}"


def listen(trainer: lightning.Trainer) -> None:
    """End ``fit`` after a step when a signal comes, in place of Lightning's own handling.

    Lightning still handles SLURM's requeue signal: it saves and requeues.
    """
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    callbacks.append(StopAtStep())
    environment = _environment(trainer)
    if not (isinstance(environment, SLURMEnvironment) and environment.auto_requeue):
        # Lightning's handler would broadcast to other processes
        trainer._signal_connector.register_signal_handlers = lambda: None  # type: ignore[method-assign]


def is_child(trainer: lightning.Trainer) -> bool:
    """Return whether Lightning has launched this process from the first one."""
    environment = _environment(trainer)
    return isinstance(environment, LightningEnvironment) and environment.local_rank() != 0


def _environment(trainer: lightning.Trainer) -> Any:
    return trainer._accelerator_connector.cluster_environment
