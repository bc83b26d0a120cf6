"""Check what a table holds: all problems of a table are collected, then raised once."""

from __future__ import annotations

import polars as pl

from lit_rec.data.refusals import SHOWN, first_of
from lit_rec.data.sources import Source
from lit_rec.data.timestamps import to_seconds
from lit_rec.errors import DataError

_TEXTS = ("event", "label", "text", "impression_id", "split")


class _Problems:
    """What is wrong with the table of one file: a line for each kind of problem."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[str] = []
        self._count = 0

    def add(self, column: pl.Series, bad: pl.Series, says: str) -> None:
        """Note the rows of ``column`` where ``bad`` holds."""
        rows = bad.fill_null(False).arg_true()
        if rows.is_empty():
            return
        self._count += len(rows)
        first = rows.head(SHOWN).to_list()
        values = ["nothing" if v is None else repr(str(v)) for v in column.gather(first).to_list()]
        shown = first_of(len(rows), self._source.places(first), values)
        self._found.append(f"{column.name} {says}: {shown}")

    def add_repeated(self, column: pl.Series) -> None:
        """Note the filled values that stand more than once."""
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
            f"'{id_}' on {', '.join(self._source.places(rows[:SHOWN]))}{', ...' * (len(rows) > SHOWN)}"
            for id_, rows in groups.head(SHOWN).iter_rows()
        ]
        more = f" and {len(groups) - len(shown):,} more" if len(groups) > len(shown) else ""
        self._found.append(f"{column.name} is repeated: {'; '.join(shown)}{more}")

    def raise_if_any(self, rule: str) -> None:
        """Raise one DataError for all."""
        if self._found:
            raise DataError(
                f"{self._count:,} problem{'s' if self._count > 1 else ''}",
                where=self._source.where,
                details=self._found,
                rule=rule,
                remedy="mend or remove these lines",
            )


def typed_behaviors(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Give the columns of a behaviors table their types, and add ``row``.

    Args:
        frame: user_id, item_id and any of the optional columns, as read.
        source: The file, for errors.

    Raises:
        DataError: With the empty ids, non-numeric ratings and unreadable timestamps, by line.
    """
    _check_single(frame, ("user_id", "item_id", "rating", "timestamp", *_TEXTS), source)
    problems = _Problems(source)
    frame = frame.with_columns(pl.col("user_id", "item_id").cast(pl.String))
    for key in ("user_id", "item_id"):
        problems.add(frame[key], ~_filled(frame[key]), "is empty")
    if "rating" in frame.columns:
        given = frame["rating"]
        rating = given.str.strip_chars() if given.dtype == pl.String else given
        rating = rating.cast(pl.Float64, strict=False)
        bad = (rating.is_null() & _filled(given)) | ~rating.is_finite()
        problems.add(given, bad, "is not a finite number")
        frame = frame.with_columns(rating.alias("rating"))
    if "timestamp" in frame.columns:
        seconds = to_seconds(frame["timestamp"])
        bad = ~seconds.is_finite().fill_null(False)
        problems.add(frame["timestamp"], bad, "is neither seconds nor an ISO date")
        frame = frame.with_columns(seconds.alias("timestamp"))
    problems.raise_if_any("ids are filled, ratings are numbers, timestamps are seconds or ISO text")
    frame = frame.with_columns(pl.col(n).cast(pl.String) for n in _TEXTS if n in frame.columns)
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
    _check_single(frame, (key,), source)
    frame = frame.with_columns(pl.col(key).cast(pl.String))
    problems = _Problems(source)
    problems.add(frame[key], ~_filled(frame[key]), "is empty")
    problems.add_repeated(frame[key])
    problems.raise_if_any(f"every row has its own {key}")
    return frame


def _filled(column: pl.Series) -> pl.Series:
    return (column.cast(pl.String).str.strip_chars() != "").fill_null(False)


def _check_single(frame: pl.DataFrame, names: tuple[str, ...], source: Source) -> None:
    for name in names:
        if name in frame.columns and frame.schema[name].is_nested():
            value = next((v for v in frame[name] if v is not None), None)
            shown = value.to_list() if isinstance(value, pl.Series) else value
            raise DataError(
                f"column '{name}' holds lists or objects, such as {str(shown)[:60]}",
                where=source.where,
                rule=f"{name} is one value in each row",
                remedy="map another column, or write the values one by one",
            )


def _history(column: pl.Series, source: Source) -> pl.Series:
    """Return lists of filled ids; texts are ids separated by spaces."""
    if not column.dtype.is_nested():
        column = column.cast(pl.String).str.split(" ")
    if not isinstance(column.dtype, pl.List | pl.Array) or column.dtype.inner.is_nested():
        raise DataError(
            f"column 'history' holds {column.dtype}",
            where=source.where,
            rule="a list of item ids, or a text of ids separated by spaces",
            remedy="map another column, or write the ids as a list",
        )
    lists = column.cast(pl.List(pl.String))
    element = pl.element()
    return lists.list.eval(element.filter(element.is_not_null() & (element != "")))
