"""Callbacks that collect scores from all processes: predictions.parquet of ``predict``, report.json of ``test``."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import polars as pl
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_info
from rich.console import Console
from torch import Tensor

from lit_rec import __version__
from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.data_fingerprint import data_fingerprint
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.files.atomic import replace_file
from lit_rec.files.parquet import write_parquet
from lit_rec.tasks.registry import task_of
from lit_rec.training.callbacks.run_folder import run_folder
from lit_rec.training.callbacks.tested_scalars import write_test_scalars
from lit_rec.vectors.frozen_texts import readable_frozen_vectors

_FORM = 1  # of report.json: a higher number where an entry has got another meaning


class CollectedScores:
    """Collect ``(row, scores)`` of every batch.

    Example:
        >>> collected = CollectedScores()
        >>> collected.add(torch.tensor([4, 2]), torch.tensor([[0.5], [1.5]]))
        >>> rows, scores = collected.gather()
        >>> rows.tolist(), scores.tolist()
        ([2, 4], [1.5, 0.5])
    """

    def __init__(self) -> None:
        self._rows: list[Tensor] = []
        self._scores: list[Tensor] = []

    def add(self, rows: Tensor, scores: Tensor) -> None:
        """Add ``rows`` ``[B]`` and ``scores`` ``[B, 1]``, or ``[B, 1, K]`` for labels.

        Raises:
            ValueError: If a row has more than one candidate.
        """
        if scores.shape[1] != 1:
            raise ValueError(f"one candidate per row, not {scores.shape[1]}, is collected")
        self._rows.append(rows.detach().cpu())
        self._scores.append(scores.detach().float().cpu()[:, 0])

    def gather(self) -> tuple[Int64s, Float64s]:
        """Return all rows ``[R]`` in increasing order and their scores, on every process.

        Returns:
            The rows ``[R]``, and scores ``[R]``, or ``[R, K]`` for labels; ``[0]`` if there is no row.

        Raises:
            ValueError: If a row was scored twice.
        """
        none = torch.empty(0)
        mine = (
            torch.cat(self._rows or [none.long()]).numpy(),
            torch.cat(self._scores or [none]).numpy(),
        )
        parts = [mine]
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            parts = [mine] * torch.distributed.get_world_size()
            torch.distributed.all_gather_object(parts, mine)
        # a process without rows does not know the number of labels
        parts = [part for part in parts if len(part[0])] or [mine]
        rows = np.concatenate([part[0] for part in parts])
        scores = np.concatenate([part[1] for part in parts]).astype(np.float64)
        order = np.argsort(rows)
        if len(np.unique(rows)) != len(rows):
            raise ValueError("a row was scored twice: the sampler must hand out each row once")
        return rows[order], scores[order]


class ScoreWriter(Callback, ABC):
    """Collect the scores of a stage and write them once, on the first process.

    The hooks of the stage call ``begin``, ``collect`` and ``finish``.
    """

    def begin(self) -> None:
        """Begin a new collection."""
        self._collected = CollectedScores()

    def collect(self, outputs: Any, batch: Any) -> None:
        """Collect the ``outputs`` ``[B, 1]`` or ``[B, 1, K]`` of a batch."""
        self._collected.add(batch.row, outputs)

    def finish(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Gather on every process, write on the first."""
        rows, scores = self._collected.gather()
        if trainer.is_global_zero:
            self.write(trainer, pl_module, rows, scores)

    @abstractmethod
    def write(
        self, trainer: lightning.Trainer, pl_module: Any, rows: Int64s, scores: Float64s
    ) -> None:
        """Write the scores ``[R]``, or ``[R, K]``, of ``rows`` ``[R]``, which increase."""


class PredictionWriter(ScoreWriter):
    """Write the predictions of ``predict`` in the order of the input, from one or several processes.

    The columns for ratings are (user_id, item_id, score). For labels they are (user_id, item_id, label, probability),
    with the most probable label and its probability; for two labels also ``score``, the probability of the second, the
    positive one. Data without users has no user_id.

    Example:
        ``lit-rec predict --ckpt_path checkpoints/quickstart/version_0/best.ckpt`` writes predictions.parquet next to
        best.ckpt.

        >>> pl.read_parquet("checkpoints/quickstart/version_0/predictions.parquet").columns  # doctest: +SKIP
        ['user_id', 'item_id', 'score']
    """

    def on_predict_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Begin a new collection."""
        self.begin()

    def on_predict_batch_end(
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

    def on_predict_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Write."""
        self.finish(trainer, pl_module)

    def write(
        self, trainer: lightning.Trainer, pl_module: Any, rows: Int64s, scores: Float64s
    ) -> None:
        """Write the file next to the checkpoint, whole or not at all."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        prepared, facts = data.prepared, data.facts
        columns = {"item_id": prepared.items["item_id"].gather(prepared.item[rows])}
        if facts.user_ids:
            users = pl.Series("user_id", prepared.user_ids, dtype=pl.String)
            columns = {"user_id": users.gather(prepared.user[rows]), **columns}
        columns |= task_of(facts).columns(scores, facts)
        frame = pl.DataFrame({"row": prepared.row[rows], **columns}).sort("row")
        path = Path(run_folder(trainer), "predictions.parquet")
        replace_file(path, partial(write_parquet, frame.drop("row")))
        rank_zero_info(f"{len(frame):,} predictions: {path}")


class ReportWriter(ScoreWriter):
    """After ``test``, fit the baselines on the same training rows and write the report next to the checkpoint.

    Example:
        ``lit-rec test --ckpt_path checkpoints/quickstart/version_0/best.ckpt`` writes report.json next to best.ckpt.

        >>> from pathlib import Path
        >>> from lit_rec.evaluation.report.report import Report
        >>> Report.read(Path("checkpoints/quickstart/version_0/report.json")).value("mean", "rmse")  # doctest: +SKIP
    """

    def on_test_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Begin a new collection, and the clock."""
        self._started = time.monotonic()
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
        seconds = round(time.monotonic() - self._started, 3)
        report = replace(report, meta={**_about(trainer, pl_module, seconds), **report.meta})
        path = run_folder(trainer) / "report.json"
        report.write(path)
        if not any(isinstance(one, TensorBoardLogger) for one in trainer.loggers):
            step = trainer.global_step if pl_module.loaded_step is None else pl_module.loaded_step
            write_test_scalars(path.parent, trainer.callback_metrics, step)
        console = Console()
        console.print()
        console.print(report.table())
        console.print(f"report: {path}", soft_wrap=True)


def _about(trainer: lightning.Trainer, pl_module: Any, seconds: float) -> dict[str, Any]:
    """Return what a report was made from; no path of this machine."""
    seed = (pl_module.run_config or {}).get("seed_everything")
    data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
    return {
        "form": _FORM,
        "version": __version__,
        "task": data.facts.task,
        "checkpoint": Path(trainer.ckpt_path).name if trainer.ckpt_path else None,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": data_fingerprint(data.prepared),
        "seed": seed if type(seed) is int else None,
        "precision": str(trainer.precision),
        "seconds": seconds,
        "baseline_seconds": {},
        "chosen": {},
    }
