"""Figures of the prepared data: counts, slices, what is predicted, histories, texts, fields and users' profiles."""

from __future__ import annotations

import copy
from dataclasses import asdict
from typing import Any

import numpy as np

from lit_rec.check.text_fields import text_field_figures
from lit_rec.check.times import span_of
from lit_rec.data.arrays import Bools
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.fields.field import FittedField
from lit_rec.data.prepared import ALL_PARTS, PARTS, Ints, Prepared
from lit_rec.data.texts.tokens import TokenStore
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.arrays import RatingRows
from lit_rec.evaluation.report.slices import rating_slices, whole
from lit_rec.tasks.registry import task_of

_SAMPLE = 20_000  # rows of a part whose histories are measured
_LONGEST = 10_000  # behaviors: longer histories count as this length
_BLOCK = 256  # rows at once: bounds the memory of the longest histories
_UNCUT = 1 << 20  # tokens: more than any text has


def data_figures(data: BehaviorDataModule) -> dict[str, Any]:
    """Return counts, for all behaviors and per part, and the span of time.

    Args:
        data: The datamodule, its data prepared.
    """
    prepared = data.prepared
    known = known_targets(data)
    rows = {part: prepared.rows_of(part) for part in ALL_PARTS}
    times = prepared.timestamp[~np.isnan(prepared.timestamp)]
    first, last = span_of(times, getattr(data.reader, "time_unit", None))
    return {
        "behaviors": len(prepared),
        "users": len(prepared.user_ids),
        "items": len(np.unique(prepared.item)),
        "catalogue": len(prepared.items),
        "first": first,
        "last": last,
        "distinct_times": len(np.unique(times)),
        "parts": {
            part: _counts(prepared, found, known)
            for part, found in rows.items()
            if len(found) or part in PARTS
        },
    }


def known_targets(data: BehaviorDataModule) -> Bools:
    """Return ``[R]`` bool: whether a row has a target."""
    target = target_of_rows(data.prepared, data.facts, data.history.targets)
    return data.facts.target.known(target)


def _counts(prepared: Prepared, rows: Ints, known: Bools) -> dict[str, int]:
    return {
        "behaviors": len(rows),
        "with_target": int(known[rows].sum()),
        "users": len(np.unique(prepared.user[rows])),
        "items": len(np.unique(prepared.item[rows])),
    }


def cleaning_figures(data: BehaviorDataModule) -> dict[str, Any]:
    """Return what cleaning dropped, and how many repeated rows it left in."""
    record = data.cleaning
    return {
        "dropped": [asdict(step) for step in record.steps if step.dropped],
        "repeated_kept": record.repeated,
        "repeated_by": list(record.repeated_by),
    }


def slice_figures(data: BehaviorDataModule) -> dict[str, dict[str, int]]:
    """Return, for validation and test, how many rows with a target each slice has, as reports count them."""
    prepared, known = data.prepared, known_targets(data)
    train = prepared.rows_of("train")
    of_train = RatingRows(_codes(prepared.user[train]), _codes(prepared.item[train]), np.empty(0))
    figures = {}
    for part in ("val", "test"):
        rows = prepared.rows_of(part)
        rows = rows[known[rows]]
        user, item = _codes(prepared.user[rows]), _codes(prepared.item[rows])
        masks = rating_slices(of_train, user, item) if data.with_users else whole(len(rows))
        figures[part] = {name: int(mask.sum()) for name, mask in masks.items()}
    return figures


def _codes(values: Ints) -> Any:
    return np.asarray(values, np.int64)


def target_figures(data: BehaviorDataModule) -> dict[str, Any]:
    """Return the task, and the histogram of the training rows' targets."""
    return {"task": data.facts.task, **task_of(data.facts).histogram(data)}


def history_figures(data: BehaviorDataModule) -> dict[str, Any]:
    """Return the lengths of histories before ``max_length`` cuts them, for a sample of each part's rows.

    Where a history is drawn again in each step (``TrainingHistory``), lengths are those before the draw.
    """
    history = copy.copy(data.history)
    cut = history.max_length
    history.max_length = max(_LONGEST, cut)
    bound = history.bind(data.prepared)
    figures: dict[str, Any] = {"rule": type(history).__name__, "max_length": cut}
    for part in PARTS:
        rows = data.predicted_rows(part)
        if len(rows) > _SAMPLE:
            rows = np.sort(np.random.default_rng(0).choice(rows, _SAMPLE, replace=False))
        blocks = [
            bound.of(rows[at : at + _BLOCK]).mask.sum(1) for at in range(0, len(rows), _BLOCK)
        ]
        lengths = np.concatenate([np.empty(0, np.int64), *blocks])
        figures[part] = _lengths(lengths, cut) if len(lengths) else None
    return figures


def _lengths(lengths: Any, cut: int) -> dict[str, float]:
    median, most, longest = (float(v) for v in np.quantile(lengths, [0.5, 0.9, 1.0]))
    return {
        "rows": len(lengths),
        "median": median,
        "p90": most,
        "max": longest,
        "empty": float((lengths == 0).mean()),
        "cut": float((lengths > cut).mean()),
    }


def text_figures(data: BehaviorDataModule) -> dict[str, Any]:
    """Return figures of the catalogue's distinct texts; lengths count the special tokens, as ``max_tokens`` does.

    Shares of tokens leave out special tokens.

    Args:
        data: The datamodule, its data prepared.
    """
    catalogue, special = data.catalogue, data.facts.special
    added = len(special.prefix) + len(special.suffix)
    cut_lengths = np.diff(catalogue.store.offsets)
    lengths = cut_lengths.copy()
    # only a text of the full length can have been cut
    full = np.flatnonzero(cut_lengths == data.max_tokens - added)
    if len(full):
        texts = _texts_of(data, full)
        whole = TokenStore.build(texts, data.tokenizer_files.open(), _UNCUT)
        lengths[full] = np.diff(whole.offsets)
    used = cut_lengths[catalogue.text_of_item]  # [I, F]
    median, most, nearly_all, longest = np.quantile(lengths + added, [0.5, 0.9, 0.99, 1.0])
    return {
        "items": len(catalogue),
        "distinct": len(lengths),
        "without_text": float((used.sum(1) == 0).mean()),
        "fields": {
            name: float((used[:, place] == 0).mean())
            for place, name in enumerate(data.facts.fields)
        },
        "tokens": {
            "median": float(median),
            "p90": float(most),
            "p99": float(nearly_all),
            "max": float(longest),
        },
        "by_field": text_field_figures(data),
        "max_tokens": data.max_tokens,
        "cut_texts": float((lengths > cut_lengths).mean()),
        "cut_tokens": float((lengths - cut_lengths).sum() / max(lengths.sum(), 1)),
    }


def _texts_of(data: BehaviorDataModule, wanted: Any) -> list[str]:
    """Return the texts of some codes, in their order, each from the first item that has it."""
    codes = data.catalogue.text_of_item
    found, first = np.unique(codes, return_index=True)
    texts = data.prepared.texts
    fields = [texts[name] for name in data.facts.fields]
    places = first[np.searchsorted(found, wanted)]
    return [str(fields[place % len(fields)][place // len(fields)]) for place in places.tolist()]


def field_figures(data: BehaviorDataModule) -> list[dict[str, Any]]:
    """Return for each field: of items or users, its kind, its size, and the share of items (or users) without a value.

    Args:
        data: The datamodule, its data prepared.
    """
    facts = data.facts
    found = [_figures("item", field, data.catalogue) for field in facts.item_fields]
    if data.profiles is not None:
        found += [
            _text(name, place, data.profiles) for place, name in enumerate(facts.profile_texts)
        ]
        found += [_figures("user", field, data.profiles) for field in facts.user_fields]
    return found


def _figures(of: str, field: FittedField, catalogue: Catalogue) -> dict[str, Any]:
    values = np.asarray(catalogue.fields[field.column]).reshape(len(catalogue), -1)
    empty = np.isnan(values).all(1) if values.dtype.kind == "f" else (values == 0).all(1)
    return {
        "of": of,
        "name": field.column,
        "kind": field.kind,
        "size": field.size,
        "of_what": field.of_what,
        "empty": float(empty.mean()),
    }


def _text(name: str, place: int, profiles: Catalogue) -> dict[str, Any]:
    lengths = np.diff(profiles.store.offsets)[profiles.text_of_item[:, place]]
    distinct = len(np.unique(profiles.text_of_item[:, place]))
    empty = float((lengths == 0).mean())
    return {
        "of": "user",
        "name": name,
        "kind": "text",
        "size": distinct,
        "of_what": "distinct",
        "empty": empty,
    }
