"""Figures of the texts: how long they are in tokens, and what ``max_tokens`` cuts."""

from __future__ import annotations

from typing import Any

import numpy as np

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.texts.tokens import TokenStore

_UNCUT = 1 << 20  # tokens: more than any text has


def text_figures(data: BehaviorDataModule) -> dict[str, Any]:
    """Return figures of the catalogue's distinct texts; lengths count the special tokens, as ``max_tokens`` does.

    A share of tokens is one of the tokens of the texts alone.

    Args:
        data: The datamodule, its data prepared.
    """
    catalogue, special = data.catalogue, data.facts.special
    added = len(special.prefix) + len(special.suffix)
    kept = np.diff(catalogue.store.offsets)
    lengths = kept.copy()
    # only a text that fills its room can have been longer
    full = np.flatnonzero(kept == data.max_tokens - added)
    if len(full):
        texts = _texts_of(data, full)
        whole = TokenStore.build(texts, data.tokenizer_files.open(), _UNCUT)
        lengths[full] = np.diff(whole.offsets)
    used = kept[catalogue.text_of_item]  # [I, F]
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
        "max_tokens": data.max_tokens,
        "cut_texts": float((lengths > kept).mean()),
        "cut_tokens": float((lengths - kept).sum() / max(lengths.sum(), 1)),
    }


def _texts_of(data: BehaviorDataModule, wanted: Any) -> list[str]:
    """Return the texts of some codes, in their order: the first item that has one tells it."""
    codes = data.catalogue.text_of_item
    found, first = np.unique(codes, return_index=True)
    texts = data.prepared.texts
    fields = [texts[name] for name in data.facts.fields]
    places = first[np.searchsorted(found, wanted)]
    return [str(fields[place % len(fields)][place // len(fields)]) for place in places.tolist()]
