"""Check the values of a table: all problems of a table are collected, then raised once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from lit_rec.data.tables.column_values import (
    FURTHEST,
    NoSuchValuesError,
    ids_of,
    is_usable,
    kind_of,
    numbers_of,
    texts_of,
    to_seconds,
)
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError, excerpt, some_of

SHOWN = 3  # rows shown for each problem; all are counted
_TEXTS = ("event", "label", "text", "impression_id", "split")


def refuse(
    column: pl.Series, bad: pl.Series, source: Source, says: str, *, rule: str, remedy: str
) -> None:
    """Raise if ``bad`` is True anywhere; the error shows line and value of the first rows, and counts all.

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


class _Problems:
    """The problems of one file's table: a line for each kind."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[str] = []
        self._count = 0

    def add(self, column: pl.Series, bad: pl.Series, says: str) -> None:
        """Add the rows of ``column`` where ``bad`` is True."""
        rows = bad.fill_null(False).arg_true()
        if rows.is_empty():
            return
        self._count += len(rows)
        first = rows.head(SHOWN).to_list()
        values = [excerpt(value) for value in column.gather(first).to_list()]
        shown = first_of(len(rows), self._source.places(first), values)
        self._found.append(f"{column.name} {says}: {shown}")

    def add_repeated(self, column: pl.Series) -> None:
        """Add the values that occur more than once; empty ones do not count."""
        groups = (
            pl.DataFrame({"id": column, "row": pl.int_range(len(column), eager=True)})
            .filter(pl.col("id").is_not_null() & (pl.col("id") != ""))
            .group_by("id", maintain_order=True)
            .agg("row")
            .filter(pl.col("row").list.len() > 1)
        )
        if groups.is_empty():
            return
        self._count += len(groups)
        shown = [
            f"{excerpt(id_)} on {', '.join(self._source.places(rows[:SHOWN]))}{', ...' * (len(rows) > SHOWN)}"
            for id_, rows in groups.head(SHOWN).iter_rows()
        ]
        more = f" and {len(groups) - len(shown):,} more" if len(groups) > len(shown) else ""
        self._found.append(f"{column.name} is repeated: {'; '.join(shown)}{more}")

    def raise_if_any(self, rule: str) -> None:
        """Raise one DataError for all problems."""
        if self._found:
            raise DataError(
                f"{self._count:,} problem{'s' if self._count > 1 else ''}",
                where=self._source.where,
                details=self._found,
                rule=rule,
                remedy="correct or remove these lines",
            )


def typed_behaviors(frame: pl.DataFrame, source: Source, *, ticks: float = 1.0) -> pl.DataFrame:
    """Give the columns of a behaviors table their types, and add ``row``.

    Args:
        frame: user_id, item_id and any of the optional columns, as read.
        source: The file, for errors.
        ticks: Units of the timestamp column's numbers in a second; the column is not converted.

    Raises:
        DataError: With the empty ids, non-numeric ratings and unreadable timestamps, by line.
    """
    problems = _Problems(source)
    for key in ("user_id", "item_id"):
        frame = frame.with_columns(_single(frame[key], ids_of, source))
        problems.add(frame[key], ~_filled(frame[key]), "is empty")
    if "rating" in frame.columns:
        given = frame["rating"]
        rating = _single(given, numbers_of, source)
        bad = (rating.is_null() & _filled(given)) | ~is_usable(rating)
        problems.add(given, bad, "is not a finite number")
        frame = frame.with_columns(rating)
    if "timestamp" in frame.columns:
        given = frame["timestamp"]
        seconds = _single(given, to_seconds, source)
        unread = ~seconds.is_finite().fill_null(False)
        problems.add(given, unread, "is neither seconds nor an ISO date")
        far = seconds.abs() > FURTHEST * ticks
        problems.add(given, far & ~unread, f"is further from 1970 than {FURTHEST:.0e} seconds")
        frame = frame.with_columns(seconds)
    problems.raise_if_any("ids are filled, ratings are numbers, timestamps are seconds or ISO text")
    for name in _TEXTS:
        if name in frame.columns:
            values_of = ids_of if name == "impression_id" else texts_of
            frame = frame.with_columns(_single(frame[name], values_of, source))
    if "history" in frame.columns:
        frame = frame.with_columns(_history(frame["history"], source))
    return frame.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))


def typed_entities(frame: pl.DataFrame, key: str, source: Source) -> pl.DataFrame:
    """Check the ids of an items or users table.

    Args:
        frame: The table as read.
        key: ``item_id`` or ``user_id``.
        source: The file, for errors.

    Raises:
        DataError: With the empty and the repeated ids, by line.
    """
    frame = frame.with_columns(_single(frame[key], ids_of, source))
    problems = _Problems(source)
    problems.add(frame[key], ~_filled(frame[key]), "is empty")
    problems.add_repeated(frame[key])
    problems.raise_if_any(f"every row has its own {key}")
    return frame


def _filled(column: pl.Series) -> pl.Series:
    if column.dtype != pl.String:
        return column.is_not_null()
    return (column.str.strip_chars() != "").fill_null(False)


_RULES: dict[object, str] = {
    ids_of: "is one text or whole number in each row",
    numbers_of: "is one number in each row",
    to_seconds: "is one number, date or ISO text in each row",
    texts_of: "is one value in each row",
}


def _single(
    column: pl.Series, values_of: Callable[[pl.Series], pl.Series], source: Source
) -> pl.Series:
    """Return the values of a column that holds one in each row.

    Raises:
        DataError: If it holds lists, or values of the wrong kind.
    """
    try:
        if column.dtype.is_nested():
            raise NoSuchValuesError(f"holds {kind_of(column.dtype)}")
        return values_of(column)
    except NoSuchValuesError as error:
        value = next((value for value in column.to_list() if value is not None), None)
        raise DataError(
            f"column '{column.name}' {error}, such as {excerpt(value)}",
            where=source.where,
            rule=f"{column.name} {_RULES[values_of]}",
            remedy="map another column, or write the values as such",
        ) from error


def _history(column: pl.Series, source: Source) -> pl.Series:
    """Return lists of filled ids; texts are ids separated by spaces."""
    try:
        ids = ids_of(column)
    except NoSuchValuesError as error:
        raise DataError(
            f"column 'history' {error}",
            where=source.where,
            rule="a list of item ids, or a text of ids separated by spaces",
            remedy="map another column, or write the ids as a list",
        ) from error
    lists = ids if isinstance(ids.dtype, pl.List) else ids.str.split(" ")
    element = pl.element()
    return lists.list.eval(element.filter(element.is_not_null() & (element != "")))
