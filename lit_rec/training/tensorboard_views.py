"""What TensorBoard shows beside curves: errors, confusion, PR curves, the weights v_f, and the items' vectors with their titles."""

from __future__ import annotations

from typing import Any

import lightning
import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from lit_rec.models.field_sum import FieldSum

_CELLS = 40  # of a picture of predictions against truth, each way
_PROJECTED = 5_000  # items in the projector: more make a browser slow
_PR_ROWS = 200_000  # of a PR curve: enough for its shape


class TensorBoardViews(Callback):
    """At each validation of ``fit``, draw what the metrics sum up; at its end, show the items in the projector.

    Ratings: predicted against true as a picture, and a histogram of the errors. Labels: the confusion matrix as a picture (rows: true,
    columns: predicted, brightness: share of the row), and of two labels the PR curve. Weights v_f of text fields as a histogram. Does
    nothing without a TensorBoardLogger. Rows are those of the first process.

    Args:
        projector: Whether the items' vectors are written at the end, with the columns of the items table.
    """

    def __init__(self, projector: bool = True) -> None:
        self.projector = projector

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Begin a new collection."""
        self._predicted: list[Tensor] = []
        self._true: list[Tensor] = []

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collect a batch."""
        if _writers(trainer) and trainer.state.fn == "fit":
            mask = batch.target.mask
            self._predicted.append(pl_module.last_predictions[mask].float().cpu())
            self._true.append(batch.target.value[mask].cpu())

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Draw."""
        if not self._predicted or not sum(map(len, self._true)):
            return
        predicted, true = torch.cat(self._predicted), torch.cat(self._true)
        step, facts = trainer.global_step, pl_module.facts
        for writer in _writers(trainer):
            if facts.task == "rating":
                picture = density(predicted.numpy(), true.numpy(), *facts.rating_range)
                writer.add_image("val/predicted_against_true", picture, step, dataformats="HW")
                writer.add_histogram("val/error", predicted - true, step)
            else:
                table = confusion(predicted.argmax(1).numpy(), true.numpy(), len(facts.labels))
                writer.add_image("val/confusion", enlarged(table), step, dataformats="HW")
                if len(facts.labels) == 2:
                    rows = slice(_PR_ROWS)
                    writer.add_pr_curve(
                        "val/precision_recall", true[rows], predicted[rows, 1], step
                    )
            for name, fields in pl_module.network.named_modules():
                if isinstance(fields, FieldSum) and len(fields.field_weights) > 1:
                    tag = f"model/{name.rpartition('.')[2]}_weights"
                    writer.add_histogram(tag, fields.field_weights.detach().cpu(), step)

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Write the items' vectors."""
        vectors = pl_module.last_table
        writers = _writers(trainer)
        if not self.projector or vectors is None or not writers:
            return
        items = trainer.datamodule.prepared.items  # type: ignore[attr-defined]
        chosen = np.sort(np.random.default_rng(0).permutation(len(items))[:_PROJECTED])
        shown = items[chosen]
        # a tab or a line end in a title would move all labels after it
        names = [[_one_line(value) for value in row] for row in shown.rows()]
        for writer in writers:
            writer.add_embedding(
                vectors[torch.from_numpy(chosen)][:, :-1].float().cpu(),
                metadata=names,
                metadata_header=shown.columns,
                global_step=trainer.global_step,
                tag="items",
            )


def _writers(trainer: lightning.Trainer) -> list[Any]:
    if not trainer.is_global_zero or trainer.sanity_checking:
        return []
    return [one.experiment for one in trainer.loggers if isinstance(one, TensorBoardLogger)]


def _one_line(value: object) -> str:
    return " ".join(str(value).split()) or "-"


def density(
    predicted: npt.NDArray[np.floating[Any]],
    true: npt.NDArray[np.floating[Any]],
    low: float,
    high: float,
) -> npt.NDArray[np.float32]:
    """Return a picture ``[H, W]`` from 0 to 1: true ratings to the right, predicted ones upwards, each column scaled by its fullest cell.

    Args:
        predicted: ``[R]``.
        true: ``[R]``.
        low: The smallest rating.
        high: The largest.
    """
    edges = np.linspace(low, high if high > low else low + 1, _CELLS + 1)
    counts, _, _ = np.histogram2d(predicted, true, bins=[edges, edges])
    picture = counts / np.maximum(counts.max(0, keepdims=True), 1)
    upright: npt.NDArray[np.float32] = picture[::-1].astype(np.float32)
    return np.kron(upright, np.ones((8, 8), np.float32))


def confusion(
    predicted: npt.NDArray[np.integer[Any]], true: npt.NDArray[np.integer[Any]], labels: int
) -> npt.NDArray[np.float32]:
    """Return the confusion matrix ``[K, K]``, each row of true labels as shares; rows without any are 0.

    Example:
        >>> confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
        [[0.5, 0.5], [0.0, 1.0]]
    """
    counts = np.bincount(true * labels + predicted, minlength=labels * labels).reshape(labels, -1)
    shares: npt.NDArray[np.float32] = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares.astype(np.float32)


def enlarged(table: npt.NDArray[np.float32], least: int = 320) -> npt.NDArray[np.float32]:
    """Return a table as a picture of at least ``least`` pixels each way."""
    side = max(-(-least // len(table)), 1)
    return np.kron(table, np.ones((side, side), np.float32))
