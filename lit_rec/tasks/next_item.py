"""NextItemTask: which item of the whole catalogue comes next."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor
from torchmetrics import Metric

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.data.targets.next_item import NextItemTarget
from lit_rec.evaluation.metrics.ranks import MAIN
from lit_rec.evaluation.report.report import Report
from lit_rec.models.objectives.ranking import ItemSoftmax
from lit_rec.models.objectives.score import Objective
from lit_rec.tasks.logged_ranks import LOGGED, RankMetric
from lit_rec.tasks.next_item_report import next_item_report
from lit_rec.tasks.task import Task

_EDGES = (2, 5, 20, 100)
_BARS = ("seen once", "2 to 4 times", "5 to 19 times", "20 to 99 times", "100 times or more")


class NextItemTask(Task):
    """The item of a behavior from what came before: softmax over items by default, decided by nDCG@10."""

    target = NextItemTarget()
    spoken = "the next item"
    logged = LOGGED
    deciding = (MAIN,)
    list_length = 10

    def default_objective(self, gives: str) -> Objective:
        """Return the softmax over items."""
        return ItemSoftmax()

    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return the scores themselves, for they have no unit."""
        return scores

    def metrics(
        self, facts: Facts, data: BehaviorDataModule | None, part: str
    ) -> dict[str, Metric]:
        """Return Recall, nDCG and MRR over the whole catalogue."""
        return {name: RankMetric(name) for name in LOGGED}

    def report(
        self,
        data: BehaviorDataModule,
        rows: Int64s,
        predicted: Float64s,
        vectors: Float64s | None,
    ) -> Report:
        """Compare the ranks with those of popularity and frozen text."""
        return next_item_report(data, rows, predicted, vectors)

    def draw(
        self, writer: Any, predicted: Float64s, true: np.ndarray[Any, Any], facts: Facts, step: int
    ) -> None:
        """Draw a histogram of the logarithms of the ranks."""
        writer.add_histogram("val/log10_rank", np.log10(predicted[:, 0]), step)

    def histogram(self, data: BehaviorDataModule) -> dict[str, Any]:
        """Return how many training rows are of items that are met so often."""
        prepared = data.prepared
        of_rows = self.target.of_rows(prepared, (), data.history.where)
        item = of_rows[prepared.rows_of("train")]
        item = item[item >= 0]
        places = np.digitize(np.bincount(item)[item], _EDGES)
        counts = np.bincount(places, minlength=len(_BARS))
        bars = zip(_BARS, counts, strict=True)
        return {"histogram": [{"value": name, "count": int(count)} for name, count in bars]}
