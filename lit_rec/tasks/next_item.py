"""NextItemTask: which item of the whole catalogue comes next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.batches.batch import SeenItems
from lit_rec.data.facts import Facts
from lit_rec.data.history.rule import in_order
from lit_rec.data.targets.next_item import NextItemTarget
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.arrays import RatingRows
from lit_rec.evaluation.baselines.next_item.baseline import LastItemsBaseline, NextItemBaseline
from lit_rec.evaluation.baselines.next_item.fitted import fitted_baselines
from lit_rec.evaluation.metrics.catalogue_ranks import SCORES_AT_ONCE, ScoredRows, target_ranks
from lit_rec.evaluation.metrics.ranks import MAIN, RankMeasures
from lit_rec.evaluation.report.report import Report, build_report
from lit_rec.evaluation.report.slices import next_item_slices
from lit_rec.models.objectives.ranking import ItemSoftmax
from lit_rec.models.objectives.score import Objective
from lit_rec.progress import slow_bar
from lit_rec.tasks.baseline_lines import BaselineLines
from lit_rec.tasks.logged_names import LOGGED
from lit_rec.tasks.task import SPACES, Task
from lit_rec.tasks.training_baskets import held_out, predicted_of, trained_rows, training_baskets

if TYPE_CHECKING:
    from torchmetrics import Metric

    from lit_rec.data.datamodule import BehaviorDataModule


_ROWS = 4096  # histories that are read at once: limits the memory, does not change the result
_CONVENTION = "masked_... leaves out the items that the history has, but never the target; the others rank all items"
_EDGES = (2, 5, 20, 100)
_BARS = ("seen once", "2 to 4 times", "5 to 19 times", "20 to 99 times", "100 times or more")


class NextItemTask(Task):
    """Predict the next item from the history: softmax over items; the best epoch by nDCG@10 of unseen ones."""

    target = NextItemTarget()
    spoken = "the next item"
    space = SPACES / "next_item.yaml"
    logged = LOGGED
    deciding = (MAIN,)
    list_length = 10

    def default_objective(self, gives: str) -> Objective:
        """Return the softmax over items."""
        return ItemSoftmax()

    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return the scores themselves, because they have no unit."""
        return scores

    def score_meaning(self, facts: Facts, label: str | None = None) -> str:
        """Return that it is a similarity, which has no unit."""
        self.asked_label(label, facts)
        return "similarity to the history, higher is better"

    def metrics(
        self, facts: Facts, data: BehaviorDataModule | None, part: str
    ) -> dict[str, Metric]:
        """Return Recall, nDCG and MRR over the whole catalogue."""
        from lit_rec.tasks.logged_metrics import RankMetric  # takes long, and only training logs

        return {name: RankMetric(name) for name in LOGGED}

    def report(
        self,
        data: BehaviorDataModule,
        rows: Int64s,
        predicted: Float64s,
        vectors: Float64s | None,
    ) -> Report:
        """Compare the model's ranks with those of closed forms: popularity, items had together, frozen text."""
        return next_item_report(data, rows, predicted, vectors)

    def draw(
        self, writer: Any, predicted: Float64s, true: np.ndarray[Any, Any], facts: Facts, step: int
    ) -> None:
        """Draw a histogram of the logarithms of the ranks."""
        writer.add_histogram("val/log10_rank", np.log10(predicted[:, 0]), step)

    def histogram(self, data: BehaviorDataModule) -> dict[str, Any]:
        """Return the counts of training rows by how often their item occurs."""
        prepared = data.prepared
        of_rows = self.target.of_rows(prepared, (), data.history.targets)
        item = of_rows[prepared.rows_of("train")]
        item = item[item >= 0]
        places = np.digitize(np.bincount(item)[item], _EDGES)
        counts = np.bincount(places, minlength=len(_BARS))
        bars = zip(_BARS, counts, strict=True)
        return {"histogram": [{"value": name, "count": int(count)} for name, count in bars]}


def next_item_report(
    data: BehaviorDataModule, rows: Int64s, ranks: Float64s, vectors: Float64s | None
) -> Report:
    """Fit the baselines on the training rows and compare; rows without a target are left out.

    Args:
        data: The behaviors.
        rows: ``[R]`` rows of ``Prepared``.
        ranks: ``[R, 2]`` ranks of the next item by the model: among all items, and among unseen items.
        vectors: ``[I, D]`` frozen text vectors of the catalogue; None: the encoder cannot be loaded.
    """
    prepared = data.prepared
    known = target_of_rows(prepared, data.facts, data.history.targets)[rows] >= 0
    rows, train = rows[known], trained_rows(data)
    user, item = (np.asarray(column, np.int64) for column in (prepared.user, prepared.item))
    found = {"lit_rec": ranks.reshape(-1, 2)[known]}
    meta: dict[str, Any] = {"items": len(prepared.items), "convention": _CONVENTION}
    meta |= {"chosen": {}, "approximated": {}}
    lines = BaselineLines(len(rows))
    for baseline in next_item_baselines(data, train, vectors):
        found[baseline.name] = baseline_ranks(baseline, data, rows)
        lines.done(baseline.name)
        if baseline.chosen:
            meta["chosen"][baseline.name] = baseline.chosen
        if baseline.approximated:
            meta["approximated"][baseline.name] = baseline.approximated
        del baseline  # its table, before the next one is made
    meta["baseline_seconds"] = lines.seconds
    lines.measure(len(found))
    trained = RatingRows(user[train], item[train], np.empty(0))
    return build_report(
        list(found),
        [RankMeasures(list(found.values()))],
        next_item_slices(trained, user[rows], item[rows]),
        user[rows],
        item[rows],
        meta=meta,
    )


@torch.no_grad()
def next_item_baselines(
    data: BehaviorDataModule, train: Int64s, vectors: Float64s | None
) -> Iterator[NextItemBaseline]:
    """Yield the baselines, fitted on training rows; those on frozen text only if the encoder can be loaded.

    Options are chosen by the last training row of each user, which is held out for this.

    Args:
        data: The behaviors.
        train: Rows of ``Prepared`` that count.
        vectors: ``[I, D]`` frozen text vectors; None: the encoder cannot be loaded.
    """
    item = np.asarray(data.prepared.item, np.int64)
    predicted = predicted_of(data, train)
    counts = np.bincount(item[predicted], minlength=len(data.prepared.items))
    popular = torch.from_numpy(counts)
    if data.facts.target_events:
        yield LastItemsBaseline(popular)
    yield from fitted_baselines(
        training_baskets(data, train),
        popular,
        held_out(data, train),
        None if vectors is None else torch.from_numpy(vectors).float(),
    )


@torch.no_grad()
def baseline_ranks(baseline: NextItemBaseline, data: BehaviorDataModule, rows: Int64s) -> Float64s:
    """Return the ranks ``[R, 2]`` by a baseline, from the same histories as the model's."""
    bound = in_order(data.history).bind(data.prepared)
    step = min(max(SCORES_AT_ONCE // max(len(data.prepared.items), 1), 1), _ROWS)
    ranks = [np.empty((0, 2))]
    with slow_bar(f"ranking by {baseline.name}", len(rows)) as advance:
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            history = bound.of(part)
            seen = SeenItems.of_pairs(*bound.seen(part))
            target = torch.from_numpy(np.asarray(data.prepared.item[part], np.int64))
            scores = baseline.scores(torch.from_numpy(history.item), torch.from_numpy(history.mask))
            block = ScoredRows.of(slice(0, len(part)), scores, target)
            ranks.append(target_ranks(block, target, seen).double().numpy())
            advance(start + len(part))
    return np.concatenate(ranks)
