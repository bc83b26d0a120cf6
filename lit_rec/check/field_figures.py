"""Figures of the fields that are not text, and of users' profiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.fields.field import FittedField


def field_figures(data: BehaviorDataModule) -> list[dict[str, Any]]:
    """Return, for each field, whose it is, its kind, its size, and the share of items (or users) that have none.

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
