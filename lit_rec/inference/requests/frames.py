"""Tables of a request: Polars or pandas frames, or lists of mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from lit_rec.data.tables.column_values import shown_columns
from lit_rec.errors import DataError, excerpt
from lit_rec.inference.requests.values import is_missing


def is_frame(given: object) -> bool:
    """Return whether a value is a table of Polars or pandas.

    Example:
        >>> is_frame(pl.DataFrame()), is_frame(["50"])
        (True, False)
    """
    return isinstance(given, pl.DataFrame | pl.LazyFrame) or _is_pandas(given)


def _is_pandas(given: object) -> bool:
    # pandas is not needed, so its class is known by name
    kind = type(given)
    return kind.__module__.partition(".")[0] == "pandas" and kind.__name__ == "DataFrame"


def table_of(given: Any, *, where: str) -> pl.DataFrame:
    """Return a table of Polars.

    Args:
        given: A frame of Polars or pandas, or a list of mappings; a key that a mapping lacks is an empty cell.
        where: The argument's name, for errors.

    Raises:
        DataError: If it is something else, or an entry of a list is no mapping.

    Example:
        >>> table_of([{"item_id": 7, "title": "A"}, {"item_id": "x"}], where="add_items").rows()
        [('7', 'A'), ('x', None)]
    """
    if isinstance(given, pl.LazyFrame):
        return given.collect()
    if isinstance(given, pl.DataFrame):
        return given
    if _is_pandas(given):
        given = _with_index(given)
        columns = given.to_dict("list")
        return pl.DataFrame([_column(str(name), values) for name, values in columns.items()])
    if isinstance(given, Mapping | str) or not isinstance(given, Iterable):
        many = isinstance(given, Mapping) and any(isinstance(v, list) for v in given.values())
        raise DataError(
            f"{excerpt(given)} is {type(given).__name__}, no table",
            where=where,
            rule="a Polars or pandas DataFrame, or a list of mappings with a column's name for each value",
            remedy="write polars.DataFrame(...) around it"
            if many
            else f"write [{excerpt(given)}]"
            if isinstance(given, Mapping)
            else "write [{'item_id': '1', 'title': '...'}]",
        )
    rows = list(given)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            raise DataError(
                f"{excerpt(row)} is {type(row).__name__}, not a mapping",
                where=f"{where}, row {number}",
                rule="each entry has a column's name for each value",
                remedy="write {'item_id': '1', 'title': '...'}",
            )
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame([_column(str(name), [row.get(name) for row in rows]) for name in names])


def _with_index(frame: Any) -> Any:
    """Return a frame of pandas with a named index as a column: ids often are the index."""
    return frame.reset_index() if frame.index.name is not None else frame


def _column(name: str, values: list[Any]) -> pl.Series:
    """Return a column; values of several types become texts, each as a table would show it."""
    values = [None if is_missing(value) else value for value in values]
    try:
        return pl.Series(name, values)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        return pl.Series(name, [text_of(value) for value in values], dtype=pl.String)


def text_of(value: Any) -> str | None:
    """Return a value as a table would show it; the entries of a list are joined by commas.

    Example:
        >>> text_of(1984), text_of(["Drama", "War"]), text_of(None)
        ('1984', 'Drama, War', None)
    """
    if value is None or isinstance(value, str):
        return value
    return shown_columns(pl.DataFrame({"value": [value]}, strict=False), ["value"])["value"][0]
