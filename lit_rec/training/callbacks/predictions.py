"""predictions.parquet: what is predicted of each row, in the input's order."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import lightning
import polars as pl
from lightning.pytorch.utilities import rank_zero_info

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.files.atomic import replace_file
from lit_rec.files.parquet import write_parquet
from lit_rec.tasks.registry import task_of
from lit_rec.training.callbacks.collected import ScoreWriter
from lit_rec.training.callbacks.run_folder import run_folder


class PredictionWriter(ScoreWriter):
    """Write what ``predict`` found, from one or several processes.

    Ratings as (user_id, item_id, score); labels as (user_id, item_id, label, probability): the most probable one and
    how probable it is. Of two labels ``score`` is the probability of the second, the positive one. Without users there
    is no user_id.

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
        """Write the file beside the checkpoint, whole or not at all."""
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
