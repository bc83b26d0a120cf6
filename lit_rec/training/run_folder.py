"""Where a run's files lie: best.ckpt, last.ckpt, config.yaml, report.json and predictions.parquet in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint


class RunCheckpoint(ModelCheckpoint):
    """Keep ``best.ckpt`` by a validation metric and ``last.ckpt``, in the run's own folder.

    ``last.ckpt`` is of the newest validation also where that was not the best; Lightning's own stays behind then, and resuming would go back.

    Args:
        monitor: Metric that decides.
        mode: Whether small (``min``) or large (``max``) is good.
        options: Further options of Lightning's ModelCheckpoint.
    """

    def __init__(self, monitor: str = "val/rmse", mode: str = "min", **options: Any) -> None:
        super().__init__(
            filename="best",
            monitor=monitor,
            mode=mode,
            save_last=True,
            enable_version_counter=False,
            auto_insert_metric_name=False,
            **options,
        )

    def setup(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Choose the logger's folder."""
        if self.dirpath is None:
            self.dirpath = str(run_folder(trainer))
        super().setup(trainer, pl_module, stage)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Save the best, then the last."""
        super().on_train_epoch_end(trainer, pl_module)
        if self._should_save_on_train_epoch_end(trainer):
            self._save_newest(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Save the best, then the last."""
        super().on_validation_end(trainer, pl_module)
        if not self._should_save_on_train_epoch_end(trainer):
            self._save_newest(trainer)

    def _save_newest(self, trainer: Trainer) -> None:
        if not self._should_skip_saving_checkpoint(trainer):  # nor where this step was just saved
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))


def run_folder(trainer: Trainer) -> Path:
    """Return the checkpoint's folder where one is used, else the logger's, else the Trainer's root."""
    if trainer.state.fn != "fit" and trainer.ckpt_path:
        return Path(trainer.ckpt_path).parent
    return Path(trainer.log_dir or trainer.default_root_dir)
