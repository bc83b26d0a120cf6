"""The folder of a run: best.ckpt, last.ckpt, config.yaml, report.json and the files of ``predict``."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, StochasticWeightAveraging, WeightAveraging
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO

from lit_rec.errors import ConfigError, option_of
from lit_rec.files.atomic import replace_file
from lit_rec.files.tensor_file import save_tensors
from lit_rec.progress import say
from lit_rec.training.callbacks.monitors import DefaultMonitor, mode_of
from lit_rec.training.checkpoint.base_weights import check_base
from lit_rec.training.version_folders import VersionFolders


class RunCheckpoint(ModelCheckpoint, DefaultMonitor):
    """Save ``best.ckpt`` by a validation metric and ``last.ckpt``, in the run's own folder.

    ``last.ckpt`` is always of the newest validation. Lightning's own is older if the newest was not the best, so that a
    resumed run would repeat steps. A run that is resumed on the command line continues in the folder of its checkpoint,
    where only a better checkpoint replaces ``best.ckpt``. A killed run leaves no half-written file.

    Args:
        monitor: The metric; by default RMSE of ratings, nDCG@10 of the next item, and of labels the AUC within
            impressions where there are some, else the AUC of two labels, else accuracy.
        mode: Whether small (``min``) or large (``max``) is good; by default the metric's own.
        last_every_n_steps: Number of optimizer steps after which ``last.ckpt`` is also saved; by default only after
            validations.
        adapters_only: Whether a checkpoint holds only what is trained, beside a fingerprint of the encoder that the run
            began with: many runs over one encoder then take little space. The encoder's folder must stay; elsewhere,
            ``--base`` names it. `lit-rec slim` writes a whole checkpoint.
        options: Further options of Lightning's ModelCheckpoint.

    Raises:
        ConfigError: If ``last_every_n_steps`` is below 1, or a mode is named without a monitor; before training, if
            ``adapters_only`` is set and the encoder is from no folder, or nothing of it is frozen.

    Example:
        >>> RunCheckpoint(monitor="val/recall@10").mode, RunCheckpoint(monitor="val/mae").mode
        ('max', 'min')
    """

    def __init__(
        self,
        monitor: str | None = None,
        mode: str | None = None,
        last_every_n_steps: int | None = None,
        adapters_only: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            filename="best",
            monitor=monitor or "val/loss",  # until it is known what will be logged
            mode=mode_of(monitor, mode, where="RunCheckpoint"),
            save_last=True,
            enable_version_counter=False,
            auto_insert_metric_name=False,
            **options,
        )
        if last_every_n_steps is not None and last_every_n_steps < 1:
            raise ConfigError(
                f"{last_every_n_steps} is too small",
                where=option_of(self, "last_every_n_steps"),
                rule="1 or more",
                remedy="leave it out to save only after validations",
            )
        self._last_every_n_steps = last_every_n_steps
        self.adapters_only = adapters_only
        self._base: str | None = None  # fingerprint of the encoder that checkpoints do without
        self._is_named = monitor is not None
        self._resumed: Path | None = None  # folder of the resumed run
        self._step_seen = 0
        self._best_is_here = False

    def wait_for(self, monitor: str) -> None:
        """Use this metric unless the user named another."""
        if not self._is_named and self.monitor != monitor:
            self.monitor, self.mode = monitor, mode_of(monitor, None, where="RunCheckpoint")
            self.kth_value = torch.tensor(torch.inf if self.mode == "min" else -torch.inf)

    def setup(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Choose the run's folder.

        Raises:
            ConfigError: If weights are averaged, but ``save_weights_only`` would save those that are not averaged.
        """
        averaged = any(isinstance(callback, WeightAveraging) for callback in _callbacks(trainer))
        if averaged and self.save_weights_only:
            raise ConfigError(
                "true with averaged weights: these are validated, but Lightning would save the present ones",
                where=option_of(self, "save_weights_only"),
                rule="false where weights are averaged",
                remedy="leave it out",
            )
        if stage != "fit":
            return  # nothing is saved, and a later fit would use a folder that is chosen now
        self.folder(trainer)
        super().setup(trainer, pl_module, stage)
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = _WholeFiles()

    def on_fit_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Check the encoder that checkpoints will do without.

        Raises:
            ConfigError: If it could not be read again.
        """
        super().on_fit_start(trainer, pl_module)
        if self.adapters_only:
            self._base = check_base(pl_module)

    def _save_checkpoint(self, trainer: Trainer, filepath: str) -> None:
        module: Any = trainer.lightning_module
        module.base_fingerprint = self._base
        try:
            super()._save_checkpoint(trainer, filepath)
        finally:
            module.base_fingerprint = None

    def folder(self, trainer: Trainer) -> Path:
        """Return the run's folder; every process calls this."""
        if self.dirpath is None:
            self.dirpath = str(_new_folder(trainer, self._resumed))
        return Path(self.dirpath)

    def resume_in(self, folder: Path) -> None:
        """Continue in the folder of a resumed run, unless another experiment is named."""
        self._resumed = folder

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Check whether a resumed run continues in the folder of its ``best.ckpt``."""
        if trainer.state.fn != "fit":
            return
        before, now = Path(str(trainer.ckpt_path)).parent, self.folder(trainer)
        here = before.resolve() == now.resolve() and (now / "best.ckpt").is_file()
        self._best_is_here = trainer.strategy.broadcast(here)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best score so far, if its checkpoint is in this folder."""
        score = state_dict["best_model_score"]
        if self._best_is_here and score is not None:
            best = str(Path(str(self.dirpath), "best.ckpt"))
            moved = {"dirpath": self.dirpath, "best_k_models": {best: score}}
            moved |= {"best_model_path": best, "kth_best_model_path": best}
            # Lightning deletes the previous last file, and an untrusted checkpoint may name any file
            moved |= {"last_model_path": str(Path(str(self.dirpath), "last.ckpt"))}
            super().load_state_dict(state_dict | moved)

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Start to count steps; a resumed run's first step is saved already."""
        super().on_train_start(trainer, pl_module)
        self._step_seen = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save the last after every n steps, unless a validation or the epoch's end follows, which saves it too."""
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
        every, step = self._last_every_n_steps, trainer.global_step
        if every and step % every == 0 and step != self._step_seen and not pauses(trainer):
            saved = self._last_global_step_saved
            self.save_newest(trainer)
            # the best of this step may be saved later
            self._last_global_step_saved = saved
        self._step_seen = step

    def on_train_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Save the best, then the last."""
        super().on_train_epoch_end(trainer, pl_module)
        if self._should_save_on_train_epoch_end(trainer):
            self.save_newest(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Save the best, then the last."""
        super().on_validation_end(trainer, pl_module)
        if not self._should_save_on_train_epoch_end(trainer):
            self.save_newest(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Save the last again if the averaged weights were set only now."""
        super().on_train_end(trainer, pl_module)
        averaged = any(isinstance(c, StochasticWeightAveraging) for c in _callbacks(trainer))
        if averaged and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))

    def on_fit_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Save what a run of no epochs began with, as ``best.ckpt`` and ``last.ckpt``: it can then be tested."""
        super().on_fit_end(trainer, pl_module)
        if 0 in (trainer.max_epochs, trainer.max_steps) and trainer.ckpt_path is None:
            for name in ("best", "last"):
                self._save_checkpoint(trainer, str(self.folder(trainer) / f"{name}.ckpt"))
            say(f"nothing was trained: {self.dirpath} holds what a run begins with")

    def save_newest(self, trainer: Trainer) -> None:
        """Save ``last.ckpt`` at this step; every process calls this."""
        # also skipped if this step was just saved
        if not self._should_skip_saving_checkpoint(trainer):
            self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))


def forget_foreign_files(states: Any) -> None:
    """Remove paths outside their folder from stored states of ModelCheckpoint, which would delete these files.

    Args:
        states: A checkpoint's states by callback; changed in place.
    """
    for state in states.values() if isinstance(states, dict) else ():
        if not isinstance(state, dict) or "dirpath" not in state:
            continue
        saved = state.get("best_k_models")
        best = [*(saved if isinstance(saved, dict) else ()), state.get("kth_best_model_path")]
        if not all(_is_within(path, state["dirpath"]) for path in best):
            state |= {"best_k_models": {}, "kth_best_model_path": ""}
        if not _is_within(state.get("last_model_path"), state["dirpath"]):
            state["last_model_path"] = ""


def _is_within(path: Any, folder: Any) -> bool:
    """Return whether a path is in a folder, by its text alone; an empty path is."""
    if not path or not isinstance(path, str) or not isinstance(folder, str):
        return not path
    return ".." not in Path(path).parts and Path(path).is_relative_to(folder)


class _WholeFiles(TorchCheckpointIO):
    """Save checkpoints next to the old file, then replace it.

    Lightning moves a file from the system's temporary folder. This copies it if that folder is on another disk, and a
    kill leaves it there.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Save next to the old file, then replace it."""
        if "://" in str(path):  # remote storage writes whole files itself
            super().save_checkpoint(checkpoint, path, storage_options)
        else:
            replace_file(Path(path), partial(save_tensors, checkpoint))


def run_folder(trainer: Trainer) -> Path:
    """Return the folder of the checkpoint in use, or of the run that trains; every process calls this."""
    if trainer.state.fn != "fit" and trainer.ckpt_path:
        return Path(trainer.ckpt_path).parent
    for callback in _callbacks(trainer):
        if isinstance(callback, RunCheckpoint):
            return callback.folder(trainer)
    return _new_folder(trainer, None)


def _new_folder(trainer: Trainer, resumed: Path | None) -> Path:
    """Return the logger's folder; for a resumed run its checkpoint's, unless another experiment is named."""
    first = trainer.is_global_zero
    chosen = _logged_folder(trainer, resumed) if first else Path()
    folder: Path = trainer.strategy.broadcast(chosen)
    if resumed is not None and resumed.resolve().parent == folder.resolve().parent:
        return resumed
    return folder


def _logged_folder(trainer: Trainer, resumed: Path | None) -> Path:
    logger = trainer.logger
    if isinstance(logger, TensorBoardLogger | CSVLogger):
        return Path(os.path.expanduser(logger.log_dir))
    folder = Path(trainer.default_root_dir, "checkpoints")
    if logger is not None:
        return Path(logger.save_dir or folder, f"{logger.name}", f"{logger.version}")
    if resumed is not None and resumed.resolve().parent == folder.resolve():
        return resumed
    return folder / f"version_{VersionFolders().number(folder)}"


def pauses(trainer: Trainer) -> bool:
    """Return whether a validation or the end of the epoch follows the present batch."""
    loop = trainer.fit_loop
    fetcher: Any = loop._data_fetcher
    return trainer.is_last_batch or loop.epoch_loop._should_check_val_fx(fetcher)


def _callbacks(trainer: Trainer) -> list[Any]:
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    return callbacks
