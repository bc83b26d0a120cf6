"""report.json: the model beside plain baselines, for all rows and per slice."""

from __future__ import annotations

from typing import Any

import lightning
from rich.console import Console

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.training.callbacks.collected import ScoreWriter
from lit_rec.training.callbacks.run_folder import run_folder
from lit_rec.training.tasks.label_report import label_report
from lit_rec.training.tasks.next_item_report import next_item_report
from lit_rec.training.tasks.rating_report import rating_report

_REPORTS = {"rating": rating_report, "label": label_report, "next_item": next_item_report}


class ReportWriter(ScoreWriter):
    """After ``test``, fit the baselines on the same training rows and write the report beside the checkpoint.

    Example:
        ``lit-rec test --ckpt_path checkpoints/quickstart/version_0/best.ckpt`` writes report.json beside best.ckpt.

        >>> from pathlib import Path
        >>> from lit_rec.evaluation.report.report import Report
        >>> Report.read(Path("checkpoints/quickstart/version_0/report.json")).value("mean", "rmse")  # doctest: +SKIP
    """

    on_test_start = ScoreWriter.begin
    on_test_batch_end = ScoreWriter.collect
    on_test_end = ScoreWriter.finish

    def write(
        self, trainer: lightning.Trainer, pl_module: Any, rows: Int64s, scores: Float64s
    ) -> None:
        """Compare, show the table and write the file."""
        data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
        report = _REPORTS[data.facts.task](pl_module, data, rows, scores)
        path = run_folder(trainer) / "report.json"
        report.write(path)
        console = Console()
        console.print(report.table())
        console.print(f"report: {path}", soft_wrap=True)
