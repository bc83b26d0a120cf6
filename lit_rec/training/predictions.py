"""predictions.parquet: one score per row, in the input's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import polars as pl
from lightning.pytorch.utilities import rank_zero_info

from lit_rec.data.atomic import replace_file
from lit_rec.evaluation.rows import Floats, Ints
from lit_rec.training.collected import ScoreWriter
from lit_rec.training.run_folder import run_folder


class PredictionWriter(ScoreWriter):
    """Write what ``predict`` scored as (user_id, item_id, score), from one or several processes."""

    on_predict_start = ScoreWriter.begin
    on_predict_batch_end = ScoreWriter.collect
    on_predict_end = ScoreWriter.finish

    def write(self, trainer: lightning.Trainer, pl_module: Any, rows: Ints, scores: Floats) -> None:
        """Write the file beside the checkpoint, whole or not at all."""
        prepared = trainer.datamodule.prepared  # type: ignore[attr-defined]
        frame = pl.DataFrame(
            {
                "row": prepared.row[rows],
                "user_id": pl.Series(prepared.user_ids, dtype=pl.String).gather(
                    prepared.user[rows]
                ),
                "item_id": prepared.items["item_id"].gather(prepared.item[rows]),
                "score": scores,
            }
        ).sort("row")
        path = Path(run_folder(trainer), "predictions.parquet")
        replace_file(path, frame.drop("row").write_parquet)
        rank_zero_info(f"{len(frame):,} predictions: {path}")
