"""Timestamps: numbers and ISO text, into seconds."""

from __future__ import annotations

import polars as pl

from lit_rec.data.tables.column_values import NoSuchValuesError, kind_of, texts_of

FURTHEST = 9e12  # seconds: what 64 bits of microseconds hold, 292,000 years
_TICKS = {"ms": 1e3, "us": 1e6, "ns": 1e9}
_ZONE = r"([T ][\d:.]+) ?([zZ]|[+-]\d\d(?::?\d\d)?)$"


def to_seconds(column: pl.Series) -> pl.Series:
    """Return seconds since 1970 as Float64, of numbers as they are and of ISO text; null where neither.

    Text is in UTC where it names no zone.

    Raises:
        NoSuchValuesError: If the column is none of texts, numbers and dates.

    Example:
        >>> to_seconds(pl.Series(["881250949", "1970-01-02", "1970-01-01T02:00+01:30", "soon"])).to_list()
        [881250949.0, 86400.0, 1800.0, None]
    """
    kind = column.dtype
    if kind.is_numeric():
        return column.cast(pl.Float64)
    # the numbers behind dates: far ones are no others in smaller units
    if kind == pl.Date:
        return column.to_physical().cast(pl.Float64) * 86400.0
    if isinstance(kind, pl.Datetime):
        return column.to_physical().cast(pl.Float64) / _TICKS[kind.time_unit]
    text = texts_of(column)
    if kind.is_temporal() or text.dtype != pl.String:
        raise NoSuchValuesError(f"holds {kind_of(kind)}")
    text = text.str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    if not number.is_null().any():
        return number
    zone = text.str.extract(_ZONE, 2)
    local = text.str.replace(_ZONE, "$1").str.replace(" ", "T", literal=True)
    local = local.str.extract(r"^(\d{4}-\d\d-\d\d.*)$")  # a year of two digits says too little
    moments = [
        local.str.to_datetime(form, time_unit="us", strict=False).dt.timestamp("us")
        for form in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
    ]
    days = local.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    seconds = [moment / 1e6 for moment in (*moments, days.dt.timestamp("us"))]
    return pl.select(pl.coalesce(number, *(s - _offset(zone) for s in seconds))).to_series()


def _offset(zone: pl.Series) -> pl.Series:
    """Return the seconds that a zone such as +01:30 is ahead of UTC; 0 for Z and where none is named."""
    digits = zone.str.replace_all(r"\D", "").str.pad_end(4, "0")
    hours = digits.str.slice(0, 2).cast(pl.Float64, strict=False)
    minutes = digits.str.slice(2, 2).cast(pl.Float64, strict=False)
    sign = zone.str.starts_with("-").cast(pl.Float64) * -2 + 1
    return ((hours * 60 + minutes) * 60 * sign).fill_null(0.0)
