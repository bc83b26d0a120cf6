"""The HPARAMS tab of TensorBoard: what a run was given, beside what came of it."""

from __future__ import annotations

from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger

_PARTS = ("model", "data")


class HyperparameterRecord(Callback):
    """At the end of ``fit``, log the options of model and data with the last validation metrics, for runs to be compared by."""

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Log to every TensorBoardLogger; a run without a configuration (from Python) logs its rates alone."""
        config = pl_module.run_config or {"model": dict(pl_module.hparams)}
        options = flat_options({part: config.get(part) for part in _PARTS})
        options["trainer.max_epochs"] = trainer.max_epochs or 0
        metrics = {
            f"hp/{name}": float(value)
            for name, value in trainer.callback_metrics.items()
            if name.startswith("val/")
        }
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.log_hyperparams(options, metrics)


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
