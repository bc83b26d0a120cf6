"""PretrainingTask: an encoder learns from texts alone, before a task with labels, ratings or behaviors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.facts import Facts
from lit_rec.data.targets.pretraining import PretrainingTarget
from lit_rec.evaluation.metrics.losses import LossMeasures
from lit_rec.evaluation.report.report import Report, build_report
from lit_rec.evaluation.report.slices import whole
from lit_rec.models.objectives.mean_loss import MeanLoss
from lit_rec.models.objectives.score import Objective
from lit_rec.tasks.task import SPACES, Task

if TYPE_CHECKING:
    from torchmetrics import Metric

    from lit_rec.data.datamodule import BehaviorDataModule

_EDGES = (8, 16, 32, 64, 128)


class PretrainingTask(Task):
    """Learn from texts, and from which follow others; the best epoch by the loss of validation texts.

    How good the encoder is, only a task that begins with it can say: the report shows the loss of test texts, and no
    baseline has one.
    """

    target = PretrainingTarget()
    spoken = "nothing but texts"
    logged = ()
    deciding = ("loss",)
    space = SPACES / "pretraining.yaml"

    def default_objective(self, gives: str) -> Objective:
        """Return the mean of the losses."""
        return MeanLoss()

    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return the losses themselves."""
        return scores

    def metrics(
        self, facts: Facts, data: BehaviorDataModule | None, part: str
    ) -> dict[str, Metric]:
        """Return none: the loss is logged."""
        return {}

    def report(
        self,
        data: BehaviorDataModule,
        rows: Int64s,
        predicted: Float64s,
        vectors: Float64s | None,
    ) -> Report:
        """Return the mean loss of the rows' texts."""
        item = np.asarray(data.prepared.item[rows], np.int64)
        measures = [LossMeasures([predicted.reshape(-1)])]
        return build_report(["lit_rec"], measures, whole(len(rows)), np.arange(len(rows)), item)

    def columns(self, predicted: Float64s, facts: Facts) -> dict[str, pl.Series]:
        """Return the loss of each row's text."""
        return {"loss": pl.Series(predicted)}

    def histogram(self, data: BehaviorDataModule) -> dict[str, Any]:
        """Return the training items by the number of tokens of their texts."""
        catalogue = data.catalogue
        texts = catalogue.text_of_item[np.flatnonzero(catalogue.vocab_row)]
        tokens = np.diff(catalogue.store.offsets)[texts].sum(1)
        counts = np.bincount(np.searchsorted(_EDGES, tokens, "right"), minlength=len(_EDGES) + 1)
        until = [f"up to {edge - 1} tokens" for edge in _EDGES]
        bars = zip([*until, f"{_EDGES[-1]} tokens or more"], counts.tolist(), strict=True)
        return {
            "of": "tokens",
            "histogram": [{"value": name, "count": count} for name, count in bars],
        }
