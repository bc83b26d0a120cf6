"""Plain values of a request: ids, numbers of results, and times, in the forms that callers have them."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, date, datetime
from numbers import Integral, Real
from typing import Any

import polars as pl

from lit_rec.data.tables.column_values import NoSuchValuesError
from lit_rec.data.tables.times import to_seconds
from lit_rec.errors import DataError, excerpt


def is_missing(value: Any) -> bool:
    """Return whether a value stands for nothing: None, NaN, and what pandas writes for them.

    Example:
        >>> [is_missing(value) for value in (None, float("nan"), 0, "")]
        [True, True, False, False]
    """
    if isinstance(value, Real):
        return math.isnan(value)
    # pandas is not needed, so its values are known by their names
    return value is None or type(value).__name__ in ("NAType", "NaTType") or _is_no_moment(value)


def _is_no_moment(value: Any) -> bool:
    return type(value).__name__ == "datetime64" and str(value) == "NaT"


def id_of(value: Any, *, where: str) -> str:
    """Return an id as text: a whole number is written without a fraction, as ids of tables are.

    Args:
        value: The id.
        where: The argument's name, for the error.

    Raises:
        DataError: If it is neither a text nor a number.

    Example:
        >>> [id_of(value, where="items") for value in ("7", 7, 7.0)]
        ['7', '7', '7']
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value):
        whole = _whole(value)
        return str(value) if whole is None else str(whole)
    kind = "" if is_missing(value) else f" ({type(value).__name__})"
    raise DataError(
        f"{'nothing' if is_missing(value) else excerpt(value)}{kind} is no id",
        where=where,
        rule="ids of the table, as texts or whole numbers",
        remedy="give the id as text, such as '50'",
    )


def at_least_one(k: Any) -> int:
    """Return the number of results that are asked for.

    Raises:
        DataError: If it is not a whole number, or below 1.

    Example:
        >>> at_least_one(3), at_least_one(3.0)
        (3, 3)
    """
    whole = _whole(k)
    if whole is None or whole < 1:
        raise DataError(
            f"{excerpt(k)} is {'not a whole number' if whole is None else 'too small'}",
            where="k",
            rule="a whole number, 1 or more",
            remedy="ask for 10",
        )
    return whole


def _whole(value: Any) -> int | None:
    """Return a whole number as int; None: it is something else."""
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
        return None
    if isinstance(value, Integral):
        return int(value)
    number = float(value)
    return int(number) if number.is_integer() else None


def time_of(value: Any, *, where: str = "history") -> float:
    """Return a time in seconds since 1970, NaN if it is unknown.

    Args:
        value: Seconds, a date of Python, NumPy or pandas, or an ISO text; without a time zone it is in UTC.
        where: The argument's name, for the error.

    Raises:
        DataError: If it is none of these, or infinite.

    Example:
        >>> time_of(86400), time_of("1970-01-02"), time_of(datetime(1970, 1, 2))
        (86400.0, 86400.0, 86400.0)
    """
    if is_missing(value):
        return float("nan")
    seconds = _seconds(value)
    if seconds is not None and not math.isinf(seconds):
        return seconds
    raise DataError(
        f"the timestamp {excerpt(value)} is not usable",
        where=where,
        rule="seconds since 1970, a datetime, or a text such as 2024-05-31 or 2024-05-31T18:30",
        remedy="correct it or leave it out",
    )


def _seconds(value: Any) -> float | None:
    if type(value).__name__ == "datetime64":  # of NumPy
        value = value.astype("datetime64[us]").item()
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, str | date) and str(value).strip().lower() != "nan":
        with suppress(NoSuchValuesError):
            found: float | None = to_seconds(pl.Series([value]), compact=False)[0]
            return found
    return None
