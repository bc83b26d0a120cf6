"""Times of the behaviors: their span, and remarks on times that are likely wrong, counted row by row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.tables.times import SIZES

_YEARS_FROM, _YEARS_UNTIL = 1e8, SIZES["s"]  # seconds from 1973 to 2286
Floats = npt.NDArray[np.floating[Any]]
_FEW = 3  # distinct numbers that an option can list
_UNIT, _UNKNOWN = "data.reader.init_args.time_unit", "data.reader.init_args.unknown_times"


def span_of(times: Floats, unit: str | None) -> tuple[str | None, str | None]:
    """Return the first and the last time: dates, or plain numbers where these are no times since 1970.

    Args:
        times: ``[R]`` seconds, none of them NaN.
        unit: The reader's ``time_unit``, None where it has no such option.

    Example:
        >>> span_of(np.array([1.5e9, 1.6e9]), "s"), span_of(np.array([-10.0, 269.0]), "unknown")
        (('2017-07-14', '2020-09-13'), ('time -10', 'time 269'))
    """
    if not len(times):
        return None, None
    low, high = float(times.min()), float(times.max())
    in_order = unit == "unknown" or np.abs(times).max() < _YEARS_FROM
    return _day(low, in_order), _day(high, in_order)


def _day(seconds: float, in_order: bool) -> str:
    if in_order:
        return f"time {seconds:.10g}"
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):  # not a year of the calendar
        return f"time {seconds:.10g}"


def time_remarks(times: Floats, unit: str | None) -> Iterator[str]:
    """Return a sentence for each kind of times that is likely wrong; each remedy names an option that the reader has.

    Args:
        times: ``[R]`` seconds as the reader read them, NaN where there is none.
        unit: The reader's ``time_unit``, None where it has no such option.

    Example:
        >>> list(time_remarks(np.array([1.5e9, 1.5e12]), "s"))[0]
        'Timestamps: 1 of 2 go up to 1.5e+12, the others to 1.5e+09: set data.reader.init_args.time_unit to mixed.'
    """
    times = times[~np.isnan(times)]
    if not len(times) or unit == "unknown":
        return
    size = np.abs(times)
    large, small = times[size >= _YEARS_UNTIL], times[size < _YEARS_FROM]
    if len(large):
        yield _of_large(times, large, unit)
    elif len(small) == len(times):
        yield from _of_order(small, unit)
        return
    if len(small):
        yield _of_small(times, small, unit)


def _of_large(times: Floats, large: Floats, unit: str | None) -> str:
    high = large.max()
    others = times[np.abs(times) < _YEARS_UNTIL]
    others = others[np.abs(others) >= _YEARS_FROM]
    if len(others) or unit not in (None, "s"):
        end = f"set {_UNIT} to mixed" if unit else "divide those that are milliseconds by 1,000"
        rest = f", the others to {others.max():.4g}" * bool(len(others))
        return f"Timestamps: {len(large):,} of {len(times):,} go up to {high:.4g}{rest}: {end}."
    wanted = next((name for name in ("ms", "us") if high < SIZES[name]), "ns")
    remedy = f"set {_UNIT} to {wanted}" if unit else "divide them by 1,000"
    name = {"ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}[wanted]
    return f"Timestamps go up to {high:.4g}: if these are {name}, {remedy}."


def _of_order(small: Floats, unit: str | None) -> Iterator[str]:
    low, high = small.min(), small.max()
    if low == high or unit not in (None, "s"):
        return
    ways = f": set {_UNIT} to d if these are days, to unknown if only their order counts"
    yield (
        f"Timestamps go from {low:.10g} to {high:.10g}: no seconds since 1970, so their unit is unknown "
        f"and ages of behaviors will be short{ways * bool(unit)}."
    )


def _of_small(times: Floats, small: Floats, unit: str | None) -> str:
    values, counts = np.unique(small, return_counts=True)
    example = f"{values[counts.argmax()]:.10g}"
    said = (
        f"Timestamps: {len(small):,} of {len(times):,} are before the year 1973, such as {example}"
    )
    ticks = {"ms": 1e3, "us": 1e6, "ns": 1e9}.get(unit or "", 1.0)
    if ticks > 1 and (np.abs(small * ticks) >= _YEARS_FROM).all():
        return f"{said}: they may be seconds among {unit}; set {_UNIT} to mixed."
    if unit is None:
        return f"{said}: if these times are unknown, leave the rows out; they count as the oldest."
    if len(values) <= _FEW:
        listed = ", ".join(f"{value * ticks:.10g}" for value in values)
        return f"{said}: if these times are unknown, set {_UNKNOWN} to [{listed}] to leave the rows out."
    kinds = f"{len(values):,} distinct values"
    return f"{said}, with {kinds}: they count as the oldest; correct them or leave the rows out."
