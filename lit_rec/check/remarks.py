"""Remarks: what does not stop a run, but its user should know before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lit_rec.check.screen import percent
from lit_rec.check.text_fields import text_field_remarks
from lit_rec.check.times import time_remarks
from lit_rec.data.batches.negatives import CatalogueNegatives
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.targets.rating import zeros_for_none
from lit_rec.tasks.registry import task_of
from lit_rec.training.lit_rec import LitRec

_FEW_STEPS = 10
_LONG = 60  # minutes
_MANY_ITEMS = 10_000
_MUCH = 0.05  # a share that deserves a remark


def remarks(figures: dict[str, Any], data: BehaviorDataModule, module: LitRec) -> list[str]:
    """Return a sentence for each thing in the figures that a newcomer may overlook.

    Args:
        figures: All figures.
        data: The datamodule.
        module: The model, built.
    """
    return [
        *_of_parts(figures),
        *task_of(data.facts).remarks(figures["target"]),
        *_of_unrated(figures, data.facts),
        *_of_zeros(figures, data),
        *_of_times(figures, data),
        *_of_rows(figures, data),
        *_of_texts(figures),
        *text_field_remarks(figures["texts"]["by_field"], data.encoder),
        *_of_model(figures, module),
        *long_run_remarks(figures, module),
    ]


def _of_parts(figures: dict[str, Any]) -> Iterator[str]:
    slices, parts = figures["slices"], figures["data"]["parts"]
    if not parts["test"]["behaviors"]:
        yield "There are no test rows: `lit-rec test` will have nothing to report."
    elif not slices["test"]["all"]:
        yield "No test row has what is predicted: `lit-rec test` will have nothing to report."
    for part, name in (("val", "validation"), ("test", "test")):
        empty = [s for s, count in slices[part].items() if s != "all" and not count]
        if slices[part]["all"] and empty:
            yield f"No {name} row is in {', '.join(empty)}: nothing will be known of how the model does there."
        new = slices[part].get("new_users", 0) / max(slices[part]["all"], 1)
        if new > 0.5:
            yield f"{percent(new)} of the {name} rows are of users that training has not seen."
    if not slices["val"]["all"]:
        yield "No validation row has what is predicted: the best epoch cannot be found."


def _of_unrated(figures: dict[str, Any], facts: Facts) -> Iterator[str]:
    train = figures["data"]["parts"]["train"]
    unrated = train["behaviors"] - train["with_target"]
    if not unrated:
        return
    rows = f"{unrated:,} of {train['behaviors']:,} training rows"
    if figures["target"]["task"] == "next_item" and facts.target_events:
        yield f"{rows} have events that are not predicted (data.target_events): they are only in histories."
    elif figures["target"]["task"] == "next_item":
        yield f"{rows} do not count by data.history.where: they are neither predicted nor in histories."
    else:
        yield f"{rows} have nothing to be predicted: they are only in histories."


def _of_zeros(figures: dict[str, Any], data: BehaviorDataModule) -> Iterator[str]:
    """Warn of ratings of 0 that may say that there is no rating."""
    if figures["target"]["task"] != "rating":
        return
    ratings = data.prepared.rating[data.prepared.rows_of("train")]
    share = zeros_for_none(ratings[~np.isnan(ratings)])
    if share:
        way = "leave them out of the table"
        if isinstance(data.reader, TableReader):
            way = "data.reader.init_args.missing_values {rating: [0]} reads them so"
        yield f"{percent(share)} of the ratings are 0, the others 1 or more: if 0 says that there is none, {way}."


def _of_times(figures: dict[str, Any], data: BehaviorDataModule) -> Iterator[str]:
    count, rows = figures["data"]["distinct_times"], figures["data"]["behaviors"]
    if not count:
        return
    if count == 1:
        yield "All timestamps are the same: no row has an earlier one in its history."
    elif count < 0.01 * rows:
        yield f"{rows:,} rows have {count:,} distinct timestamps: rows of one time do not see each other in a history."
    yield from time_remarks(data.prepared.timestamp, getattr(data.reader, "time_unit", None))


def _of_rows(figures: dict[str, Any], data: BehaviorDataModule) -> Iterator[str]:
    repeated = figures["cleaning"]["repeated_kept"]
    if repeated:
        key = ", ".join(figures["cleaning"]["repeated_by"])
        rows = "1 row repeats" if repeated == 1 else f"{repeated:,} rows repeat"
        yield (
            f"{rows} ({key}) of another and {'is' if repeated == 1 else 'are'} not dropped: "
            "data.duplicates last keeps the last of each."
        )
    histories = figures["histories"]
    for part, name in (("train", "training"), ("val", "validation"), ("test", "test")):
        if histories["rule"] != "NoHistory" and histories[part] and histories[part]["empty"] > 0.5:
            yield f"{percent(histories[part]['empty'])} of the {name} rows have an empty history."
    steps = figures["time"].get("steps")
    if steps is not None and steps < _FEW_STEPS:
        yield (
            f"Training takes {steps} steps in all: "
            f"a smaller data.batch_size ({data.batch_size}) learns more from them."
        )


def _of_texts(figures: dict[str, Any]) -> Iterator[str]:
    texts = figures["texts"]
    if texts["without_text"] > _MUCH:
        yield f"{percent(texts['without_text'])} of the items have no text: only their ids are known."
    if texts["cut_tokens"] > _MUCH:
        longest = f"99 of 100 texts have {texts['tokens']['p99']:g} tokens or fewer"
        cut = percent(texts["cut_tokens"])
        yield f"data.max_tokens {texts['max_tokens']} cuts {cut} of all tokens; {longest}."


def _of_model(figures: dict[str, Any], module: LitRec) -> Iterator[str]:
    model, rate = figures["model"], module.hparams["encoder_rate"]
    if not model["encoder"]:
        return
    if not model["encoder_trained"]:
        if rate:
            yield f"The encoder is frozen: model.encoder_rate {rate:g} has no effect."
        if type(module.built().backbone).__name__ == "ConfiguredBackbone":
            yield "The encoder is frozen and has random weights: it knows nothing of the texts."
    elif not rate:
        yield "model.encoder_rate is 0, yet the encoder's gradients are computed: FrozenTuning leaves them out."


def long_run_remarks(figures: dict[str, Any], module: LitRec) -> Iterator[str]:
    """Yield what would make a run of more than an hour shorter.

    Args:
        figures: All figures.
        module: The model, built.
    """
    minutes = figures["time"].get("minutes")
    if minutes is None or minutes < _LONG:
        return
    ways = []
    if figures["model"]["encoder_trained"]:
        ways.append(
            "the encoder takes most of it: with the backbone's tuning FrozenTuning each text is encoded once "
            "(with TopLayersTuning a part of it is trained), and model.encoder_rate is 0"
        )
    negatives = getattr(module.objective, "negatives", None)
    items = figures["data"]["items"]
    if isinstance(negatives, CatalogueNegatives) and items > _MANY_ITEMS:
        ways.append(
            f"each step compares with all {items:,} items: with the objective's negatives BatchNegatives "
            "with those of its batch"
        )
    hours = f"{minutes / 60:.2g} hours" if minutes >= 90 else f"{minutes:.0f} minutes"
    ways.append("trainer.max_epochs, or trainer.max_time 00:01:00:00, ends it sooner")
    yield f"Training takes about {hours}; {'; '.join(ways)}."
