"""report.json: the model beside plain baselines, for all rows and per slice."""

from __future__ import annotations

from typing import Any

import lightning
from rich.console import Console

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.tasks.registry import task_of
from lit_rec.training.callbacks.collected import ScoreWriter
from lit_rec.training.callbacks.run_folder import run_folder
from lit_rec.vectors.frozen_texts import readable_frozen_vectors


class ReportWriter(ScoreWriter):
    """After ``test``, fit the baselines on the same training rows and write the report beside the checkpoint.

    Example:
        ``lit-rec test --ckpt_path checkpoints/quickstart/version_0/best.ckpt`` writes report.json beside best.ckpt.

        >>> from pathlib import Path
        >>> from lit_rec.evaluation.report.report import Report
        >>> Report.read(Path("checkpoints/quickstart/version_0/report.json")).value("mean", "rmse")  # doctest: +SKIP
    """

    def on_test_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Begin a new collection."""
        self.begin()

    def on_test_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collect a batch."""
        self.collect(outputs, batch)

    def on_test_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Write."""
        self.finish(trainer, pl_module)

    def write(
        self, trainer: lightning.Trainer, pl_module: Any, rows: Int64s, scores: Float64s
    ) -> None:
        """Compare, show the table and write the file."""
        data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
        vectors = readable_frozen_vectors(pl_module.new_network, data, pl_module.device, trainer)
        report = task_of(data.facts).report(data, rows, scores, vectors)
        path = run_folder(trainer) / "report.json"
        report.write(path)
        console = Console()
        console.print(report.table())
        console.print(f"report: {path}", soft_wrap=True)
