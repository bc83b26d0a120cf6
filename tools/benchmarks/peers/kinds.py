"""What differs between next items, ratings and labels: what is written for peers, and how predictions are measured.

Measures and baselines are those of the task's report.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.batches.batch import SeenItems
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.rule import in_order
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.arrays import LabelRows, RatingRows
from lit_rec.evaluation.metrics.catalogue_ranks import SCORES_AT_ONCE, ScoredRows, target_ranks
from lit_rec.evaluation.metrics.labels import LabelMeasures
from lit_rec.evaluation.metrics.ranks import RankMeasures
from lit_rec.evaluation.metrics.ratings import RatingMeasures
from lit_rec.evaluation.report.measures import Measures
from lit_rec.tasks.label import label_baselines, shared_history
from lit_rec.tasks.next_item import baseline_ranks, next_item_baselines
from lit_rec.tasks.rating import baselines, ragged_history, rating_trial
from lit_rec.tasks.training_baskets import trained_rows
from tools.benchmarks.peers.exchange import Array
from tools.benchmarks.peers.exported_rows import export_labels, export_next_item, export_ratings

Export = Callable[[BehaviorDataModule, Path], None]


class Kind(ABC):
    """A task, as peers are compared on it."""

    export: ClassVar[Export]
    metrics: ClassVar[Sequence[str]]  # the main one first
    compared: ClassVar[Sequence[str]]  # metrics that have a difference

    def __init__(self, data: BehaviorDataModule, rows: Int64s) -> None:
        self.data, self.rows = data, rows
        target = target_of_rows(data.prepared, data.facts, data.history.where)
        self.target = np.asarray(target)[rows]

    @abstractmethod
    def stored(self, predicted: Array) -> Float64s:
        """Return what is measured of a peer's predictions."""

    @abstractmethod
    def measures(self, predictions: Sequence[Float64s]) -> Measures:
        """Return the metrics of M models."""

    @abstractmethod
    def baselines(self, vectors: Float64s) -> Iterator[tuple[str, Float64s]]:
        """Yield name and predictions of the report's baselines, fitted on training rows.

        Args:
            vectors: ``[I, D]`` frozen text vectors.
        """


class NextItems(Kind):
    """Ranks ``[R, 2]``: among all items, and among those that the row's past does not have."""

    export = staticmethod(export_next_item)
    metrics = ("masked_ndcg@10", "masked_recall@10", "ndcg@10", "recall@10")
    compared = ("masked_ndcg@10", "masked_recall@10")

    def stored(self, predicted: Array) -> Float64s:
        """Return the ranks of the targets by scores ``[R, I]``."""
        past = in_order(self.data.history).bind(self.data.prepared)
        step = max(SCORES_AT_ONCE // predicted.shape[1], 1)
        ranks = [np.empty((0, 2))]
        for start in range(0, len(self.rows), step):
            part = slice(start, start + step)
            target = torch.from_numpy(self.target[part].astype(np.int64))
            scores = torch.from_numpy(np.array(predicted[part]))
            seen = SeenItems.of_pairs(*past.seen(self.rows[part]))
            block = ScoredRows.of(slice(0, len(target)), scores, target)
            ranks.append(target_ranks(block, target, seen).double().numpy())
        return np.concatenate(ranks)

    def measures(self, predictions: Sequence[Float64s]) -> Measures:
        """Return Recall, nDCG and MRR."""
        return RankMeasures(predictions)

    def baselines(self, vectors: Float64s) -> Iterator[tuple[str, Float64s]]:
        """Yield popularity, what was had together, frozen text, and both."""
        for baseline in next_item_baselines(self.data, trained_rows(self.data), vectors):
            yield baseline.name, baseline_ranks(baseline, self.data, self.rows)


class Ratings(Kind):
    """Ratings ``[R]``, clipped to the range of the training ratings."""

    export = staticmethod(export_ratings)
    metrics = ("rmse", "mae")
    compared = ("rmse",)

    def stored(self, predicted: Array) -> Float64s:
        """Return the ratings, clipped."""
        return np.clip(predicted, *self.data.facts.rating_range).astype(np.float64)

    def measures(self, predictions: Sequence[Float64s]) -> Measures:
        """Return RMSE and MAE."""
        return RatingMeasures(predictions, self.target.astype(np.float64))

    def baselines(self, vectors: Float64s) -> Iterator[tuple[str, Float64s]]:
        """Yield biases, neighbours, factors, frozen text, the clock, and their blends."""
        prepared, data = self.data.prepared, self.data
        train = data.prepared.rows_of("train")
        rows, tested = (
            RatingRows(
                prepared.user[some].astype(np.int64),
                prepared.item[some].astype(np.int64),
                prepared.rating[some].astype(np.float64),
            )
            for some in (train, self.rows)
        )
        history = ragged_history(data, self.rows)
        found = baselines(data, vectors, rating_trial(data))
        for baseline in found:
            baseline.fit(rows.rated(), len(prepared.user_ids), len(prepared.items))
            yield baseline.name, self.stored(baseline.predict(tested.user, tested.item, history))


class Labels(Kind):
    """Probabilities ``[R, K]``."""

    export = staticmethod(export_labels)
    metrics = ("accuracy", "macro_f1")
    compared = ("accuracy",)

    def stored(self, predicted: Array) -> Float64s:
        """Return the probabilities."""
        return np.asarray(predicted, np.float64)

    def measures(self, predictions: Sequence[Float64s]) -> Measures:
        """Return accuracy and macro F1."""
        return LabelMeasures(predictions, self.target.astype(np.int64), len(self.data.facts.labels))

    def baselines(self, vectors: Float64s) -> Iterator[tuple[str, Float64s]]:
        """Yield label frequencies and frozen text."""
        data, prepared = self.data, self.data.prepared
        train = prepared.rows_of("train")
        label = target_of_rows(prepared, data.facts).astype(np.int64)
        rows = LabelRows(
            prepared.user[train].astype(np.int64),
            prepared.item[train].astype(np.int64),
            label[train],
        )
        history = shared_history(data, self.rows)
        item = prepared.item[self.rows].astype(np.int64)
        for baseline in label_baselines(vectors, history, by_impression=False):
            baseline.fit(rows, len(prepared.items), len(data.facts.labels))
            yield baseline.name, baseline.predict(item, history)
