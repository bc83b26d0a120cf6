"""What the encoder can tell apart: for each text field, items with the same text, and tokens it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.texts.tokens import TokenStore

_MUCH = 0.05  # a share that deserves a remark
_COMPARED = 200_000  # distinct texts of a field whose tokens are compared
_MULTILINGUAL = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"


def text_field_figures(data: BehaviorDataModule) -> dict[str, dict[str, Any]]:
    """Return for each text field of the items: how many have a text, and what the encoder can make of it.

    ``distinct`` counts texts, ``shared`` items whose text is also that of another item, ``equal_tokens`` distinct texts
    whose tokens are those of another, ``unknown`` is the share of tokens that the encoder does not know.

    Args:
        data: The datamodule, its data prepared.
    """
    catalogue = data.catalogue
    unknown = data.tokenizer_files.open().unk_token_id
    texts = data.prepared.texts
    figures = {}
    for place, name in enumerate(data.facts.fields):
        empty = (texts[name] == "").to_numpy()
        found = _figures(catalogue.store, catalogue.text_of_item[~empty, place], unknown)
        figures[name] = found
    return figures


def _figures(store: TokenStore, texts: Int64s, unknown: int | None) -> dict[str, Any]:
    """Return the figures of a field.

    Args:
        store: Distinct texts as tokens.
        texts: ``[I]`` the text of each item that has one.
        unknown: The token that stands for unknown words, where the tokenizer has one.
    """
    distinct, counts = np.unique(texts, return_counts=True)
    compared = store.take(distinct[:_COMPARED])
    offsets = compared.offsets
    tokens = compared.tokens
    sequences = {tokens[start:end].tobytes() for start, end in pairwise(offsets)}
    is_unknown = tokens == unknown if unknown is not None else np.zeros(len(tokens), bool)
    return {
        "items": len(texts),
        "distinct": len(distinct),
        "shared": int(counts[counts > 1].sum()),
        "equal_tokens": len(offsets) - 1 - len(sequences),
        "unknown": float(is_unknown.mean()) if len(tokens) else 0.0,
    }


def text_field_remarks(fields: Mapping[str, Mapping[str, Any]], encoder: str) -> Iterator[str]:
    """Yield a sentence for each field in which the encoder cannot tell many items apart.

    A field with few distinct texts, such as a category, is meant to be shared; the field with the most is not.

    Args:
        fields: The figures.
        encoder: Name of the encoder.

    Example:
        >>> title = {"items": 40, "distinct": 30, "shared": 20, "equal_tokens": 0, "unknown": 0.0}
        >>> print(*text_field_remarks({"title": title}, "an-encoder"))
        20 of 40 items share their text in `title` with another item: only their ids and other fields differ.
    """
    most = max((field["distinct"] for field in fields.values()), default=0)
    for name, field in fields.items():
        distinct, items = field["distinct"], field["items"]
        telling = distinct == most or distinct > 0.5 * items
        if telling and field["shared"] > _MUCH * items:
            yield (
                f"{field['shared']:,} of {items:,} items share their text in `{name}` with another item: "
                "only their ids and other fields differ."
            )
        if field["equal_tokens"] > _MUCH * distinct:
            yield (
                f"{distinct:,} distinct texts of `{name}` are {distinct - field['equal_tokens']:,} to the encoder "
                f"{encoder}: they differ in words that it does not know, or beyond data.max_tokens."
            )
        if field["unknown"] > _MUCH:
            yield (
                f"{100 * field['unknown']:.1f} % of the tokens of `{name}` are unknown to the encoder {encoder}: "
                f"choose one of the texts' language (data.encoder), such as {_MULTILINGUAL}, "
                "or what `tools/fetch_assets.py multilingual-e5-small` brings."
            )
