"""Pictures and histograms in TensorBoard: predictions, the weights v_f and w_d, and item vectors with their titles."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import lightning
import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.training_facts import target_of_rows
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.tasks.registry import task_of
from lit_rec.training.callbacks.behavior_weights import behavior_weights
from lit_rec.training.callbacks.score_writers import ScoreWriter

_PROJECTED = 5_000  # items in the projector: more make a browser slow
_WEIGHED_ROWS = 256  # rows whose behavior weights are computed again, which is cheap

FloatArray = npt.NDArray[Any]


class TensorBoardViews(ScoreWriter):
    """At each validation of ``fit``, draw the predictions; at its end, show the items in the projector.

    The task decides what is drawn (``Task.draw``). Ratings: a picture of predicted against true values, and a histogram
    of the errors. Next item: a histogram of the logarithms of its ranks. Labels: a picture of the confusion matrix
    (rows: true, columns: predicted, brightness: share of the row), and the PR curve of two labels. All tasks have
    histograms of the weights v_f of text fields. For some rows of the last batch there are also histograms of the
    weights w_d of behaviors, and of how many behaviors ago they were, weighted by w_d. Does nothing without a
    TensorBoardLogger.

    Args:
        projector: Whether the items' vectors are written at the end, with the columns of the items table.

    Example:
        ``lit-rec fit`` uses it by default; from Python, without the projector:

        >>> views, logger = TensorBoardViews(projector=False), TensorBoardLogger("checkpoints")  # doctest: +SKIP
        >>> trainer = lightning.Trainer(callbacks=[views], logger=logger)  # doctest: +SKIP
    """

    def __init__(self, projector: bool = True) -> None:
        self.projector = projector

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Start a new collection."""
        if _draws(trainer):
            self.begin()
            self._last_batch: Any = None

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collect a batch's predictions."""
        if _draws(trainer):
            self.collect(pl_module.last_predictions, batch)
            self._last_batch = batch

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Draw."""
        if _draws(trainer):
            self.finish(trainer, pl_module)
            self._last_batch = None

    def write(
        self, trainer: lightning.Trainer, pl_module: Any, rows: Int64s, scores: Float64s
    ) -> None:
        """Draw the predictions of rows with a known target, and the learned weights."""
        facts, step = pl_module.facts, trainer.global_step
        data = trainer.datamodule  # type: ignore[attr-defined]
        target = target_of_rows(data.prepared, facts, data.history.targets)[rows]
        known = facts.target.known(target)
        of_behaviors = self._behavior_weights(pl_module)
        for writer in _writers(trainer):
            if known.any():
                task_of(facts).draw(writer, scores[known], target[known], facts, step)
            for name, fields in pl_module.network.named_modules():
                if isinstance(fields, FieldSum) and len(fields.field_weights) > 1:
                    tag = "weights/profile_fields" if name == "profile" else "weights/fields"
                    writer.add_histogram(tag, fields.field_weights.detach().cpu(), step)
            if of_behaviors is not None and len(of_behaviors[0]):
                values, ago = of_behaviors
                writer.add_histogram("weights/behaviors", values, step)
                add_weighted_histogram(writer, "weights/behaviors_ago", ago, values, step)

    def _behavior_weights(self, pl_module: Any) -> tuple[FloatArray, FloatArray] | None:
        """Return the weights w_d of real behaviors ``[S]``, and how many behaviors ago they were, from 1."""
        batch, table = self._last_batch, pl_module.last_table
        if batch is None or table is None:
            return None
        network = pl_module.built()
        vectors = network.vectors_of(table[batch.items.catalogue_row])
        encoder = getattr(network, "user_encoder", None)
        weights = behavior_weights(encoder, vectors, batch, _WEIGHED_ROWS)  # [R, H]
        if weights is None:
            return None
        mask = batch.history.mask[:_WEIGHED_ROWS]
        # oldest first, padding to the right
        ago = mask.sum(1, keepdim=True) - torch.arange(mask.shape[1], device=mask.device)
        return weights[mask].float().cpu().numpy(), ago[mask].cpu().numpy()

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Write the items' vectors."""
        vectors = self._vectors(trainer, pl_module)
        writers = _writers(trainer)
        if vectors is None or not writers:
            return
        data = trainer.datamodule  # type: ignore[attr-defined]
        items = data.prepared.items
        # the projector labels points by the first column
        title = [name for name in data.text.columns if name in items.columns][:1]
        items = items.select(*title, *(name for name in items.columns if name not in title))
        chosen = np.sort(np.random.default_rng(0).permutation(len(items))[:_PROJECTED])
        shown = items[chosen]
        # a tab or a line end in a title would shift all labels after it
        names = [[_one_line(value) for value in row] for row in shown.rows()]
        for writer in writers:
            # a killed run may have left an unfinished one
            Path(writer.log_dir, "projector_config.pbtxt").unlink(missing_ok=True)
            writer.add_embedding(
                vectors[torch.from_numpy(chosen)][:, :-1].float().cpu(),
                metadata=names,
                metadata_header=shown.columns,
                global_step=trainer.global_step,
                tag="items",
            )

    def _vectors(self, trainer: lightning.Trainer, pl_module: Any) -> Tensor | None:
        """Return the items' vectors; they are encoded again if a run is resumed after its last validation.

        Every process calls this.
        """
        if not self.projector or not any(
            isinstance(one, TensorBoardLogger) for one in trainer.loggers
        ):
            return None
        is_over = trainer.ckpt_path is not None and trainer.limit_val_batches != 0
        network, table = pl_module.built(), pl_module.last_table
        if table is None and is_over and network.has_item_table:
            table = pl_module.item_table(trainer.datamodule.catalogue)  # type: ignore[attr-defined]
        return None if table is None else cast(Tensor, network.vectors_of(table))


def _draws(trainer: lightning.Trainer) -> bool:
    """Return whether this validation is drawn. All processes agree, because all gather their rows."""
    there = any(isinstance(one, TensorBoardLogger) for one in trainer.loggers)
    return there and trainer.state.fn == "fit" and not trainer.sanity_checking


def _writers(trainer: lightning.Trainer) -> list[Any]:
    if not trainer.is_global_zero:
        return []
    return [one.experiment for one in trainer.loggers if isinstance(one, TensorBoardLogger)]


def add_weighted_histogram(
    writer: Any, tag: str, values: FloatArray, weights: FloatArray, step: int
) -> None:
    """Write a weighted histogram of whole numbers from 1.

    Args:
        writer: TensorBoard's writer.
        tag: The histogram's name.
        values: ``[S]``.
        weights: ``[S]``.
        step: The run's step.
    """
    counts = np.bincount(values.astype(np.int64), weights)[1:]
    writer.add_histogram_raw(
        tag,
        min=values.min(),
        max=values.max(),
        num=counts.sum(),
        sum=(values * weights).sum(),
        sum_squares=(values**2 * weights).sum(),
        bucket_limits=(np.arange(len(counts)) + 1.5).tolist(),
        bucket_counts=counts.tolist(),
        global_step=step,
    )


def _one_line(value: object) -> str:
    return " ".join(str(value).split()) or "-"
