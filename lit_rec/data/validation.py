"""Check what a table holds: all problems of a table are collected, then raised once."""

from __future__ import annotations

import polars as pl

from lit_rec.errors import DataError

_KEPT = 20  # problems remembered per kind; the rest is counted


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
        rating = frame["rating"].cast(pl.Float64, strict=False)
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
    if "history" in frame.columns and frame["history"].dtype == pl.String:
        frame = frame.with_columns(
            pl.col("history")
            .str.strip_chars()
            .str.split(" ")
            .list.eval(pl.element().filter(pl.element() != ""))
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
        for id_, lines in repeated.head(_KEPT).iter_rows()
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
    has_zone = text.str.contains(r"([zZ]|[+-]\d\d:?\d\d)$") & text.str.contains(r"\d[T ]\d")
    spaced = text.str.replace(" ", "T", literal=True).str.replace(r"[zZ]$", "+00:00")
    zoned = spaced.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    plain = pl.select(
        pl.coalesce(
            spaced.str.to_datetime(f, time_unit="us", strict=False)
            for f in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
        )
    ).to_series()
    date = spaced.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    moment = pl.select(
        pl.coalesce(
            number * 1e6,
            pl.when(has_zone)
            .then(zoned.dt.timestamp("us"))
            .otherwise(pl.coalesce(plain, date).dt.timestamp("us")),
        )
    ).to_series()
    return moment.cast(pl.Float64) / 1e6


def _filled(column: pl.Series) -> pl.Series:
    return column.is_not_null() & (column.cast(pl.String).str.strip_chars() != "").fill_null(False)


def _empty_ids(frame: pl.DataFrame, key: str, header_lines: int) -> list[str]:
    return _lines(frame, key, ~_filled(frame[key]), "is empty", header_lines)


def _lines(
    frame: pl.DataFrame, column: str, bad: pl.Series, says: str, header_lines: int
) -> list[str]:
    places = bad.fill_null(False).arg_true()
    found = [
        f"line {place + header_lines + 1}: {column} {str(frame[column][place])!r} {says}"
        for place in places.head(_KEPT)
    ]
    return found + ([f"{len(places) - _KEPT} more like the last"] if len(places) > _KEPT else [])


def _raise(problems: list[str], where: str, rule: str) -> None:
    if problems:
        raise DataError(
            f"{len(problems)} problem{'s' if len(problems) > 1 else ''}",
            where=where,
            details=problems,
            rule=rule,
            remedy="mend or remove these lines",
        )
