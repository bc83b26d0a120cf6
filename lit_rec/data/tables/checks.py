"""Check the values of a table: all problems of a table are collected, then raised once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from lit_rec.data.tables.cells import has_decimal_commas
from lit_rec.data.tables.column_values import (
    FURTHEST,
    NoSuchValuesError,
    ids_of,
    is_usable,
    kind_of,
    numbers_of,
    texts_of,
)
from lit_rec.data.tables.problems import SHOWN, Dropping, Problems, first_of
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.times import TimeRules
from lit_rec.data.tables.written_dates import year_last
from lit_rec.errors import DataError, excerpt, some_of

_SECONDS = TimeRules()
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


def typed_behaviors(
    frame: pl.DataFrame, source: Source, *, times: TimeRules = _SECONDS
) -> pl.DataFrame:
    """Give the columns of a behaviors table their types, and add ``row``.

    Args:
        frame: user_id, item_id and any of the optional columns, as read.
        source: The file, for errors.
        times: How times are read; unknown ones become null.

    Raises:
        DataError: With the empty ids, non-numeric ratings and unreadable timestamps, by line.
    """
    return valid_behaviors(frame, source, times=times)[0]


def valid_behaviors(
    frame: pl.DataFrame,
    source: Source,
    *,
    times: TimeRules = _SECONDS,
    dropping: Dropping | None = None,
) -> tuple[pl.DataFrame, Source]:
    """Return what ``typed_behaviors`` returns, and the source of its rows; rows may be left out.

    Args:
        frame: user_id, item_id and any of the optional columns, as read.
        source: The file.
        times: How times are read; unknown ones become null.
        dropping: What happens to invalid rows.

    Raises:
        DataError: As ``typed_behaviors`` does, where invalid rows are not left out, or more than half are invalid.
    """
    problems = Problems(source, dropping)
    for key in ("user_id", "item_id"):
        frame = frame.with_columns(_single(frame[key], ids_of, source))
        problems.add(frame[key], ~_filled(frame[key]), "is empty")
    if "rating" in frame.columns:
        given = frame["rating"]
        rating = _single(given, numbers_of, source)
        bad = (rating.is_null() & _filled(given)) | ~is_usable(rating)
        instead = _of_commas(given, bad, dropping)
        problems.add(given, bad, "is not a finite number", instead=instead)
        frame = frame.with_columns(rating)
    if "timestamp" in frame.columns:
        given = frame["timestamp"]
        seconds = _single(given, times.seconds, source)
        unread = ~seconds.is_finite().fill_null(False) & ~times.is_unknown(given)
        _add_times(problems, given, unread, times)
        far = seconds.abs() > FURTHEST
        problems.add(given, far & ~unread, f"is further from 1970 than {FURTHEST:.0e} seconds")
        frame = frame.with_columns(seconds)
    keep = problems.settle(
        "ids are filled, ratings are numbers, timestamps are seconds or ISO text"
    )
    if keep is not None:
        frame, source = frame.filter(keep), source.of_rows(keep)
    for name in _TEXTS:
        if name in frame.columns:
            values_of = ids_of if name == "impression_id" else texts_of
            frame = frame.with_columns(_single(frame[name], values_of, source))
    if "history" in frame.columns:
        frame = frame.with_columns(_history(frame["history"], source))
    return frame.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64)), source


def _add_times(problems: Problems, column: pl.Series, bad: pl.Series, times: TimeRules) -> None:
    """Add the rows whose time cannot be read; dates with the year last have a remedy of their own."""
    if column.dtype == pl.String and (last := year_last(column) & bad).any():
        days = {None: "does not show which number is the day", True: "has no day first"}
        says = days.get(times.day_first, "has no month first")
        problems.add(column, last, says, instead=times.instead(column))
        bad = bad & ~last
    problems.add(column, bad, "is neither seconds nor an ISO date")


def _of_commas(given: pl.Series, bad: pl.Series, dropping: Dropping | None) -> str:
    """Return what to do where the first bad value has a decimal comma."""
    first = given.gather(bad.fill_null(False).arg_true().head(1))
    if not has_decimal_commas(first):
        return ""
    if dropping is None or not dropping.decimal:
        return "write numbers with a decimal point"
    return f"set {dropping.decimal} to ',' where numbers have decimal commas"


def typed_entities(
    frame: pl.DataFrame, key: str, source: Source, dropping: Dropping | None = None
) -> pl.DataFrame:
    """Check the ids of an items or users table.

    Args:
        frame: The table as read.
        key: ``item_id`` or ``user_id``.
        source: The file, for errors.
        dropping: What happens to rows with an empty or a repeated id; of a repeated one the first stays.

    Raises:
        DataError: With the empty and the repeated ids, by line, where they are not left out.
    """
    frame = frame.with_columns(_single(frame[key], ids_of, source))
    problems = Problems(source, dropping)
    problems.add(frame[key], ~_filled(frame[key]), "is empty")
    problems.add_repeated(frame[key])
    keep = problems.settle(f"every row has its own {key}", f"{key.removesuffix('_id')}s")
    return frame if keep is None else frame.filter(keep)


def _filled(column: pl.Series) -> pl.Series:
    if column.dtype != pl.String:
        return column.is_not_null()
    return (column.str.strip_chars() != "").fill_null(False)


_TIME = "one number, date or ISO text"
_KINDS: dict[object, str] = {
    ids_of: "one text or whole number",
    numbers_of: "one number",
    texts_of: "one text or number",
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
            rule=f"{column.name} is {_KINDS.get(values_of, _TIME)} in each row",
            remedy=f"write {_KINDS.get(values_of, _TIME)} in each row, or name another column {column.name}",
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
            remedy="write the ids of a row as a list, or as a text with spaces between them; or name another "
            "column history",
        ) from error
    lists = ids if isinstance(ids.dtype, pl.List) else ids.str.split(" ")
    element = pl.element()
    return lists.list.eval(element.filter(element.is_not_null() & (element != "")))
