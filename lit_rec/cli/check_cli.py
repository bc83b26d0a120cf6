"""What ``lit-rec check`` runs: ``fit`` up to its first steps."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import lightning
from lightning.pytorch.utilities import rank_zero_only

from lit_rec.check.data_figures import (
    cleaning_figures,
    data_figures,
    field_figures,
    history_figures,
    slice_figures,
    target_figures,
    text_figures,
)
from lit_rec.check.obstacles import check_folder, check_monitored, raise_together
from lit_rec.check.remarks import remarks
from lit_rec.check.screen import data_lines, model_lines
from lit_rec.check.step_figures import parameter_figures, step_figures
from lit_rec.cli.rec_cli import RecCLI
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.errors import ConfigError, LitRecError
from lit_rec.training.callbacks.run_folder import RunCheckpoint
from lit_rec.training.checkpoint.base_weights import check_base
from lit_rec.training.lit_rec import LitRec


class CheckCLI(RecCLI):
    """``fit`` with the same parser, model, data and Trainer, up to its first steps; no result of them is stored.

    ``figures`` holds the result.
    """

    trains = False
    figures: dict[str, Any]

    def fit(self, model: LitRec, datamodule: lightning.LightningDataModule, **options: Any) -> None:
        """Replace ``Trainer.fit``, which LightningCLI would call."""
        self.figures = examine(self.trainer, model, datamodule, options, worded=self.with_paths)


def check_fit(words: list[str]) -> dict[str, Any]:
    """Show what ``fit`` with these options would find, and return it as plain values.

    Args:
        words: The options of ``fit``.

    Raises:
        LitRecError: If ``fit`` would not start.
    """
    with quiet():
        figures = CheckCLI(["fit", *words]).figures
    _tell("`lit-rec fit` would start.")
    return figures


def examine(
    trainer: lightning.Trainer,
    module: LitRec,
    data: lightning.LightningDataModule,
    options: dict[str, Any],
    *,
    worded: Callable[[LitRecError], LitRecError],
) -> dict[str, Any]:
    """Show all figures, and return them as plain values.

    Args:
        trainer: The Trainer that would train.
        module: The model, not yet built.
        data: The datamodule, its data not yet prepared.
        options: Other arguments of ``Trainer.fit``.
        worded: Changes an error to name options as the configuration does.

    Raises:
        LitRecError: If ``fit`` would not start.
    """
    if not isinstance(data, BehaviorDataModule):
        raise ConfigError(
            f"{type(data).__name__} cannot be examined",
            where="data.class_path",
            rule="BehaviorDataModule or a class made from it",
            remedy="try lit-rec fit with --trainer.fast_dev_run true",
        )
    raise_together(
        lambda: check_monitored(trainer),
        lambda: check_folder(trainer),
        lambda: data.tokenizer_files,
        data.prepare_data,
        worded=worded,
    )
    data.setup("fit")
    figures: dict[str, Any] = {
        "data": data_figures(data),
        "cleaning": cleaning_figures(data),
        "slices": slice_figures(data),
        "target": target_figures(data),
        "histories": history_figures(data),
        "texts": text_figures(data),
        "fields": field_figures(data),
    }
    _tell(data_lines(figures))  # steps can take a minute
    callbacks = list(trainer.callbacks)  # type: ignore[attr-defined]
    figures["time"] = step_figures(trainer, module, data, options)
    for callback in callbacks:
        if isinstance(callback, RunCheckpoint) and callback.adapters_only:
            check_base(module)
    figures["model"] = parameter_figures(module, data, callbacks)
    figures["warnings"] = remarks(figures, data, module)
    _tell(model_lines(figures))
    return figures


@rank_zero_only
def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def quiet() -> Iterator[None]:
    """Hide progress messages of Lightning and the datamodule: a command that does not train says what it found."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
