"""report.json: the model beside plain baselines, for all rows and per slice."""

from __future__ import annotations

from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_warn
from rich.console import Console

from lit_rec.data.batches import Texts
from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.errors import LitRecError
from lit_rec.evaluation.baselines import (
    Baseline,
    HistoryBiasBaseline,
    MeanBaseline,
    UserItemBiasBaseline,
)
from lit_rec.evaluation.frozen_text import (
    FrozenTextKnnBaseline,
    FrozenTextRidgeBaseline,
    unit_vectors,
)
from lit_rec.evaluation.report import build_report
from lit_rec.evaluation.rows import Floats, Ints, RaggedHistory, RatingRows
from lit_rec.evaluation.slices import rating_slices
from lit_rec.models.pooling import MeanPooling
from lit_rec.training.collected import ScoreWriter
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.run_folder import run_folder


class ReportWriter(ScoreWriter):
    """After ``test``, fit the baselines on the same training rows and write the report beside the checkpoint."""

    on_test_start = ScoreWriter.begin
    on_test_batch_end = ScoreWriter.collect
    on_test_end = ScoreWriter.finish

    def write(self, trainer: lightning.Trainer, pl_module: Any, rows: Ints, scores: Floats) -> None:
        """Compare, show the table and write the file."""
        data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
        prepared = data.prepared
        train = _rating_rows(data, prepared.rows_of("train"))
        test = _rating_rows(data, rows)
        known = ~np.isnan(test.rating)
        predictions = {"lit_rec": scores}
        history = ragged_history(data, rows)
        for baseline in baselines(pl_module, data):
            baseline.fit(train, len(prepared.user_ids), len(prepared.items))
            predicted = baseline.predict(test.user, test.item, history)
            # cut as the model's are: no baseline shall lose by ratings that nobody can give
            predictions[baseline.name] = predicted.clip(*data.facts.rating_range)
        report = build_report(
            {name: values[known] for name, values in predictions.items()},
            test.rating[known],
            test.user[known],
            test.item[known],
            rating_slices(train, test.user[known], test.item[known]),
        )
        path = run_folder(trainer) / "report.json"
        report.write(path)
        console = Console()
        console.print(report.table())
        console.print(f"report: {path}", soft_wrap=True)


def baselines(module: LitRec, data: BehaviorDataModule) -> list[Baseline]:
    """Return the baselines of rating prediction; those on frozen text only where the pretrained encoder can be read."""
    plain: list[Baseline] = [MeanBaseline(), UserItemBiasBaseline(), HistoryBiasBaseline()]
    try:
        vectors = frozen_item_vectors(module, data)
    except LitRecError as error:
        rank_zero_warn(f"The report has no frozen-text baselines: {error}")
        return plain
    return [*plain, FrozenTextKnnBaseline(vectors), FrozenTextRidgeBaseline(vectors)]


@torch.no_grad()
def frozen_item_vectors(module: LitRec, data: BehaviorDataModule) -> Floats:
    """Return the catalogue's vectors by the encoder as it was before training, mean over tokens, fields joined, ``[I, F * width]``."""
    pretrained = module.new_network(data.facts, pretrained=True).to(module.device).eval()
    backbone = pretrained.backbone
    pooling = MeanPooling(backbone.width)
    store = data.catalogue.store
    everything = np.arange(len(store.offsets) - 1, dtype=np.int64)
    vectors = np.zeros((len(everything), backbone.width))
    texts = Texts(
        torch.from_numpy(np.array(store.tokens)), torch.from_numpy(np.array(store.offsets))
    )
    for chunk in texts.to(module.device).chunks(16_384, data.facts.special):
        pooled = pooling(backbone(chunk), chunk.mask)
        vectors[chunk.text_index.cpu().numpy()] = pooled.float().cpu().numpy()
    return unit_vectors(vectors[data.catalogue.text_of_item])  # [I, F, width] -> [I, F * width]


def ragged_history(data: BehaviorDataModule, rows: Ints) -> RaggedHistory:
    """Return the histories that the model saw for ``rows``, for the baselines to see the same."""
    prepared = data.prepared
    found = data.history.bind(prepared).of(rows)
    source = np.where(found.source >= 0, found.source, 0)
    rating = np.where(found.source >= 0, prepared.rating[source], np.nan)
    offsets = np.concatenate([[0], np.cumsum(found.mask.sum(1))]).astype(np.int64)
    return RaggedHistory(offsets, found.item[found.mask], rating[found.mask].astype(np.float64))


def _rating_rows(data: BehaviorDataModule, rows: Ints) -> RatingRows:
    prepared = data.prepared
    return RatingRows(
        prepared.user[rows].astype(np.int64),
        prepared.item[rows].astype(np.int64),
        prepared.rating[rows].astype(np.float64),
    )
