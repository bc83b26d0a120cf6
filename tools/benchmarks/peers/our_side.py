"""lit_rec on the same rows: a trained run of tools/benchmark quality, if there is one, and baselines of the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.inference.stored.network import load_module
from lit_rec.training.callbacks.score_writers import ReportWriter
from lit_rec.vectors.frozen_texts import frozen_item_vectors
from tools.benchmarks.speed.configured import configured


class _Scores(ReportWriter):
    """Keeps the scores of a test instead of writing a report."""

    rows: Int64s
    scores: Float64s

    def write(self, trainer: Trainer, pl_module: Any, rows: Int64s, scores: Float64s) -> None:
        """Keep them."""
        self.rows, self.scores = rows, scores


def prepared_data(
    config: Path, folder: Path, change: Callable[[dict[str, Any]], None] | None
) -> tuple[BehaviorDataModule, Float64s]:
    """Return the data of a configuration, and the frozen text vectors ``[I, D]`` of its items.

    Args:
        config: The YAML.
        folder: Folder of the reader's files.
        change: Changes the configuration first.
    """
    data, module = configured(config, folder, change)
    return data, frozen_item_vectors(module.new_network, data, torch.device("cpu"), None)


def predictions_of_run(run: Path, data: BehaviorDataModule, rows: Int64s) -> Float64s | None:
    """Return what the best checkpoint of a finished run predicts for ``rows``; None if there is no such run.

    Args:
        run: The run's folder, which holds ``version_0``.
        data: The data.
        rows: ``[R]`` test rows of ``Prepared`` with a target.
    """
    best, report = (run / "version_0" / name for name in ("best.ckpt", "report.json"))
    if not (best.is_file() and report.is_file()):
        return None
    module, _ = load_module(best)
    kept = _Scores()
    trainer = Trainer(
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        callbacks=[kept],
    )
    trainer.test(module, data, verbose=False)
    place = {int(row): at for at, row in enumerate(kept.rows)}
    return kept.scores[[place[int(row)] for row in rows]]
