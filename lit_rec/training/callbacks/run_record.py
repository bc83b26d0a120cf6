"""Record a run's options: config.yaml, the HPARAMS tab of TensorBoard, and other loggers."""

from __future__ import annotations

from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams

from lit_rec.files.atomic import replace_file
from lit_rec.training.callbacks.run_folder import forget_foreign_files, run_folder

_PARTS = ("model", "data")


class RunRecord(SaveConfigCallback):
    """Write config.yaml next to the checkpoints of ``fit`` and show the configuration in TensorBoard."""

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Write the file, if the run trains."""
        if stage == "fit":
            self._folder = run_folder(trainer)
            super().setup(trainer, pl_module, stage)

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: Any, checkpoint: dict[str, Any]
    ) -> None:
        """Remove foreign files from the stored states before callbacks restore them: they could delete these files."""
        forget_foreign_files(checkpoint.get("callbacks"))

    def save_config(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Write the file, and send the configuration to TensorBoard as text."""
        config = self.config.clone()
        # a run with this file starts from the beginning, also if this one was resumed
        config["ckpt_path"] = None
        text = self.parser.dump(config, skip_none=False)
        path = self._folder / self.config_filename
        replace_file(path, lambda work: work.write_text(text, encoding="utf-8"))
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                if self.config["ckpt_path"] is not None:
                    text = self.parser.dump(self.config, skip_none=False)
                logger.experiment.add_text("config", f"```yaml\n{text}\n```")


class HyperparameterRecord(Callback):
    """Log the options of model and data, so that runs can be compared.

    Loggers get them at the start, but not in a resumed run, because MLflow refuses an option that is logged twice.
    hparams.yaml of TensorBoardLogger has all options, also the Trainer's. At the end of ``fit`` the HPARAMS tab gets
    those of model and data, and shows the last value of each validation curve next to them.
    """

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Log to every logger but TensorBoard's."""
        for logger in trainer.loggers if trainer.ckpt_path is None else ():
            if not isinstance(logger, TensorBoardLogger):
                logger.log_hyperparams(_options(trainer, pl_module))

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Write hparams.yaml of every TensorBoardLogger; Lightning has logged the rates alone by now."""
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.hparams.clear()
                logger.hparams.update(_all_options(trainer, pl_module))
                logger.save()

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Show them in the HPARAMS tab of every TensorBoardLogger."""
        metrics = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if name.startswith("val/")
        }
        for logger in trainer.loggers if trainer.is_global_zero else ():
            if isinstance(logger, TensorBoardLogger):
                writer = logger.experiment._get_file_writer()
                # the tab reads a metric's value from its curve: Lightning's method would log it a second time
                for summary in hparams(_options(trainer, pl_module), metrics):  # type: ignore[no-untyped-call]
                    writer.add_summary(summary)


def _options(trainer: lightning.Trainer, pl_module: Any) -> dict[str, str | int | float | bool]:
    """Return the options; of a run without a configuration (from Python) only its rates."""
    config = pl_module.run_config or {"model": dict(pl_module.hparams)}
    options = flat_options({part: config.get(part) for part in _PARTS})
    return options | {"trainer.max_epochs": trainer.max_epochs or 0}


def _all_options(trainer: lightning.Trainer, pl_module: Any) -> dict[str, Any]:
    """Return all options of a run, also those of the Trainer."""
    return {**_options(trainer, pl_module), **flat_options(pl_module.run_config or {})}


def flat_options(options: Any, name: str = "") -> dict[str, str | int | float | bool]:
    """Return nested options as one mapping of plain values, named by their path.

    Example:
        >>> flat_options({"model": {"class_path": "a.B", "init_args": {"width": 64, "ids": None}}})
        {'model': 'B', 'model.width': 64}
    """
    if isinstance(options, dict):
        if "class_path" in options:
            short = str(options["class_path"]).rpartition(".")[2]
            return {name: short, **flat_options(options.get("init_args") or {}, name)}
        found: dict[str, str | int | float | bool] = {}
        for key, value in options.items():
            found |= flat_options(value, f"{name}.{key}" if name else str(key))
        return found
    if options is None:
        return {}
    return {name: options if isinstance(options, bool | int | float) else str(options)}
