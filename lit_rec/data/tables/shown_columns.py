"""Columns of the items table as text: what a checkpoint keeps of them, and what a recommendation shows."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from lit_rec.data.tables.column_values import NoSuchValuesError, texts_of


def shown_columns(items: pl.DataFrame, names: Iterable[str]) -> dict[str, list[str | None]]:
    """Return columns as text, the values of a list joined by commas; nulls where the table has no such column.

    Example:
        >>> shown_columns(pl.DataFrame({"year": [1984], "genres": [["Drama", "War"]]}), ["genres", "year", "title"])
        {'genres': ['Drama, War'], 'year': ['1984'], 'title': [None]}
    """
    shown: dict[str, list[str | None]] = {}
    for name in names:
        shown[name] = _as_text(items[name]) if name in items.columns else [None] * len(items)
    return shown


def _as_text(column: pl.Series) -> list[str | None]:
    try:
        texts = texts_of(column)
    except NoSuchValuesError:  # lists of lists, durations, bytes
        return [None if value is None else str(value) for value in column.to_list()]
    if isinstance(texts.dtype, pl.List):
        texts = texts.list.join(", ", ignore_nulls=True)
    return texts.to_list()
