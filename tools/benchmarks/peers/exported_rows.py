"""Write the prepared rows of a configuration for peers: the same rows and histories that lit_rec has.

Targets of test rows are not written, so that no peer can read them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.rule import in_order
from lit_rec.data.training_facts import target_of_rows
from lit_rec.tasks.training_baskets import trained_rows
from tools.benchmarks.peers.exchange import Array, write_rows


def tested_rows(data: BehaviorDataModule) -> Int64s:
    """Return the test rows that have a target, ``[R]``, in the order of peers' predictions."""
    return _known(data, "test")


def export_next_item(data: BehaviorDataModule, folder: Path) -> None:
    """Write training rows in the order of time, and whole pasts, oldest first, of validation and test rows.

    Args:
        data: The behaviors.
        folder: Where to.
    """
    prepared, train = data.prepared, trained_rows(data)
    arrays: dict[str, Array] = {
        "items": np.array(len(prepared.items)),
        "train_user": np.asarray(prepared.user[train], np.int64),
        "train_item": np.asarray(prepared.item[train], np.int64),
    }
    past = in_order(data.history).bind(prepared)
    for part in ("val", "test"):
        rows = _known(data, part)
        row, item = past.seen(rows)
        ends = np.searchsorted(row, np.arange(len(rows) + 1))
        arrays |= {f"{part}_offsets": ends, f"{part}_history": item}
    arrays["val_target"] = np.asarray(prepared.item[_known(data, "val")], np.int64)
    write_rows(folder, **arrays)


def export_ratings(data: BehaviorDataModule, folder: Path) -> None:
    """Write users, items and ratings of training and validation rows, users and items of test rows.

    Args:
        data: The behaviors.
        folder: Where to.
    """
    prepared = data.prepared
    arrays: dict[str, Array] = {
        "users": np.array(len(prepared.user_ids)),
        "items": np.array(len(prepared.items)),
    }
    for part in ("train", "val", "test"):
        rows = _known(data, part)
        arrays[f"{part}_user"] = np.asarray(prepared.user[rows], np.int64)
        arrays[f"{part}_item"] = np.asarray(prepared.item[rows], np.int64)
        if part != "test":
            arrays[f"{part}_rating"] = np.asarray(prepared.rating[rows], np.float64)
    write_rows(folder, **arrays)


def export_labels(data: BehaviorDataModule, folder: Path) -> None:
    """Write texts and labels of training rows, and texts of test rows.

    Args:
        data: The texts.
        folder: Where to.
    """
    texts = data.prepared.texts
    joined = texts.select(texts.columns).rows()
    label = target_of_rows(data.prepared, data.facts).astype(np.int64)
    arrays: dict[str, Array] = {
        "labels": np.array(len(data.facts.labels)),
        "encoder": np.array(str(Path(data.encoder).resolve())),
        "train_label": label[_known(data, "train")],
    }
    for part in ("train", "test"):
        of_part = data.prepared.item[_known(data, part)]
        arrays[f"{part}_text"] = np.array([" ".join(filter(None, joined[i])) for i in of_part])
    write_rows(folder, **arrays)


def _known(data: BehaviorDataModule, part: str) -> Int64s:
    """Return the rows of a part that have a target."""
    rows = data.prepared.rows_of(part)
    return rows[_has_target(data)[rows]]


def _has_target(data: BehaviorDataModule) -> Array:
    target = target_of_rows(data.prepared, data.facts, data.history.where)
    return ~np.isnan(target) if target.dtype.kind == "f" else target >= 0
