"""Check what a table holds: all problems of a table are collected, then raised once."""

from __future__ import annotations

import polars as pl

from lit_rec.errors import DataError

_KEPT = 1_000  # problems an error carries; all are counted


def typed_behaviors(frame: pl.DataFrame, *, where: str, header_lines: int = 1) -> pl.DataFrame:
    """Give the columns of a behaviors table their types, and add ``row``.

    Args:
        frame: user_id, item_id and any of the optional columns, as read.
        where: The file, for errors.
        header_lines: Lines before the first row, so that errors name lines of the file.

    Raises:
        DataError: With every empty id, non-numeric rating and unreadable timestamp, by line.
    """
    problems = _empty_ids(frame, "user_id", header_lines) + _empty_ids(
        frame, "item_id", header_lines
    )
    frame = frame.with_columns(pl.col("user_id", "item_id").cast(pl.String))
    if "rating" in frame.columns:
        rating = frame["rating"]
        if rating.dtype == pl.String:
            rating = rating.str.strip_chars()
        rating = rating.cast(pl.Float64, strict=False)
        bad = (rating.is_null() & _filled(frame["rating"])) | rating.is_nan() | rating.is_infinite()
        problems += _lines(frame, "rating", bad, "is not a finite number", header_lines)
        frame = frame.with_columns(rating.alias("rating"))
    if "timestamp" in frame.columns:
        seconds = to_seconds(frame["timestamp"])
        problems += _lines(
            frame,
            "timestamp",
            seconds.is_null() | ~seconds.is_finite().fill_null(False),
            "is neither seconds nor an ISO date",
            header_lines,
        )
        frame = frame.with_columns(seconds.alias("timestamp"))
    for name in ("event", "label", "text", "impression_id"):
        if name in frame.columns:
            frame = frame.with_columns(pl.col(name).cast(pl.String))
    if "history" in frame.columns:
        history = pl.col("history")
        if not isinstance(frame.schema["history"], pl.List):
            history = history.cast(pl.String).str.split(" ")
        frame = frame.with_columns(
            history.cast(pl.List(pl.String)).list.eval(
                pl.element().filter(pl.element().is_not_null() & (pl.element() != ""))
            )
        )
    _raise(
        problems, where, "ids are filled, ratings are numbers, timestamps are seconds or ISO text"
    )
    return frame.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))


def typed_entities(
    frame: pl.DataFrame, key: str, *, where: str, header_lines: int = 1
) -> pl.DataFrame:
    """Check the ids of an items or users table.

    Args:
        frame: The table as read.
        key: ``item_id`` or ``user_id``.
        where: The file, for errors.
        header_lines: Lines before the first row.

    Raises:
        DataError: With every empty or repeated id, by line.
    """
    frame = frame.with_columns(pl.col(key).cast(pl.String))
    problems = _empty_ids(frame, key, header_lines)
    seen = frame.with_columns(line=pl.int_range(pl.len()) + header_lines + 1)
    repeated = (
        seen.filter(pl.col(key).is_not_null())
        .group_by(key, maintain_order=True)
        .agg("line")
        .filter(pl.col("line").list.len() > 1)
    )
    problems += [
        f"{key} '{id_}' stands on lines {', '.join(str(n) for n in lines[:4])}"
        for id_, lines in repeated.iter_rows()
    ]
    _raise(problems, where, f"each row has an {key} of its own")
    return frame


def to_seconds(column: pl.Series) -> pl.Series:
    """Return seconds since 1970 as Float64: numbers as they are, ISO text (UTC where it names no zone); null where neither."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64)
    if column.dtype in (pl.Date, pl.Datetime) or isinstance(column.dtype, pl.Datetime):
        return column.cast(pl.Datetime("us")).dt.timestamp("us").cast(pl.Float64) / 1e6
    text = column.cast(pl.String).str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    if not number.is_null().any():
        return number
    zone = text.str.extract(r"[T ][\d:.]+ ?([zZ]|[+-]\d\d(?::?\d\d)?)$")
    local = text.str.replace(r"([T ][\d:.]+) ?([zZ]|[+-]\d\d(?::?\d\d)?)$", "$1")
    local = local.str.replace(" ", "T", literal=True)
    local = local.str.extract(r"^(\d{4}-\d\d-\d\d.*)$")  # a year of two digits says too little
    return pl.select(
        pl.coalesce(
            number,
            *(
                local.str.to_datetime(f, time_unit="us", strict=False).dt.timestamp("us") / 1e6
                for f in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
            ),
            local.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")).dt.timestamp("us")
            / 1e6,
        )
        - _offset(zone)
    ).to_series()


def _offset(zone: pl.Series) -> pl.Series:
    """Return the seconds that a zone such as +01:30 is ahead of UTC; 0 for Z and where none is named."""
    digits = zone.str.replace_all(r"\D", "").str.pad_end(4, "0")
    hours = digits.str.slice(0, 2).cast(pl.Float64, strict=False)
    minutes = digits.str.slice(2, 2).cast(pl.Float64, strict=False)
    sign = zone.str.starts_with("-").cast(pl.Float64) * -2 + 1
    return ((hours * 60 + minutes) * 60 * sign).fill_null(0.0)


def _filled(column: pl.Series) -> pl.Series:
    return column.is_not_null() & (column.cast(pl.String).str.strip_chars() != "").fill_null(False)


def _empty_ids(frame: pl.DataFrame, key: str, header_lines: int) -> list[str]:
    return _lines(frame, key, ~_filled(frame[key]), "is empty", header_lines)


def _lines(
    frame: pl.DataFrame, column: str, bad: pl.Series, says: str, header_lines: int
) -> list[str]:
    lines = bad.fill_null(False).arg_true() + header_lines + 1
    values = frame[column].filter(bad.fill_null(False))
    return [
        f"line {line}: {column} {'' if value is None else str(value)!r} {says}"
        for line, value in zip(lines, values, strict=True)
    ]


def _raise(problems: list[str], where: str, rule: str) -> None:
    if problems:
        raise DataError(
            f"{len(problems):,} problem{'s' if len(problems) > 1 else ''}",
            where=where,
            details=problems[:_KEPT],
            rule=rule,
            remedy="mend or remove these lines",
        )
