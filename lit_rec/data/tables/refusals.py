"""Refuse a table that is not of its format: columns that are absent, rows that break a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError, excerpt, some_of

SHOWN = 3  # rows named of each problem; all are counted


def refuse(
    column: pl.Series, bad: pl.Series, source: Source, says: str, *, rule: str, remedy: str
) -> None:
    """Raise if ``bad`` holds anywhere; the first rows are shown with line and value, and all counted.

    Args:
        column: ``[R]`` values of one column, under its name.
        bad: ``[R]`` bool; null is not bad.
        source: The file, for errors.
        says: What is wrong with such a value.
        rule: What must hold.
        remedy: What to do.

    Raises:
        DataError: If a row is bad.
    """
    rows = bad.fill_null(False).arg_true()
    if rows.is_empty():
        return
    first = rows.head(SHOWN).to_list()
    values = [excerpt(value) for value in column.gather(first).to_list()]
    raise DataError(
        f"{column.name} {says}: {first_of(len(rows), source.places(first), values)}",
        where=source.where,
        rule=rule,
        remedy=remedy,
    )


def first_of(count: int, places: Sequence[str], values: Sequence[str]) -> str:
    """Return the first places of a problem with the values seen there, and how many more there are.

    Example:
        >>> first_of(5, ["line 2", "line 7"], ["'x'", "nothing"])
        "line 2 ('x'), line 7 (nothing) and 3 more"
    """
    shown = ", ".join(f"{place} ({value})" for place, value in zip(places, values, strict=True))
    return shown + (f" and {count - len(places):,} more" if count > len(places) else "")


def wanted_columns(
    frame: pl.DataFrame, names: Mapping[str, str], source: Source, *, remedy: str
) -> pl.DataFrame:
    """Return some columns of a file under canonical names.

    Args:
        frame: The table as read.
        names: Canonical name -> the file's name.
        source: The file, for errors.
        remedy: What to do where one is absent.

    Raises:
        DataError: If one is absent.
    """
    missing = [name for name in names.values() if name not in frame.columns]
    if missing:
        raise DataError(
            f"there is no column '{missing[0]}'; the file has {some_of(frame.columns)}",
            where=f"{source.where}, line 1",
            rule=f"columns {', '.join(names.values())}",
            remedy=remedy,
        )
    return frame.select(pl.col(name).alias(canonical) for canonical, name in names.items())
