"""TimeForm: as what the values of a column are times, judged row by row."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lit_rec.data.tables.times import TICKS, TimeUnit, is_compact_date, to_seconds
from lit_rec.data.tables.written_dates import guess_day_first, year_last

_SAMPLE = 20_000  # texts that are read
_NEARLY_ALL = 0.9  # a few wrong values do not change what a column means; the reader reports them
# times since 1970, in seconds or smaller units; they count between the years 1973 and 2286
_EPOCHS: tuple[TimeUnit, ...] = ("s", "ms", "us", "ns")
_EPOCH_FROM, _EPOCH_UNTIL = 1e8, 1e10
_LIKELY_FROM, _LIKELY_UNTIL = (
    6e8,
    2.3e9,
)  # from 1989 to 2042: of behaviors in a column whose name says nothing
_NO_TIMES = (0, -1)  # written where a time is not known
_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


@dataclass(frozen=True)
class TimeForm:
    """How the values of a column are read as times.

    Args:
        said: What they are, in words.
        unit: The reader's ``time_unit``; None for dates.
        day_first: The reader's ``day_first``.
        unknown: The reader's ``unknown_times``.
        is_likely: Whether most times are of the years 1989 to 2042.
        note: What the user should know.
    """

    said: str
    unit: TimeUnit | None = None
    day_first: bool | None = None
    unknown: tuple[int, ...] = ()
    is_likely: bool = True
    note: str = ""


UNKNOWN_UNIT = TimeForm(
    "numbers of an unknown unit, so an order, no dates", "unknown", is_likely=False
)


def time_form_of(values: pl.Series, texts: pl.Series, numbers: pl.Series | None) -> TimeForm | None:
    """Return how values are times; None where they are none.

    Args:
        values: ``[R]`` as read.
        texts: Those that are not empty, as texts.
        numbers: The numbers among them, Float64; None where the values are no numbers.

    Example:
        >>> numbers = pl.Series([1500000000.0, 1500000060000.0, 0.0])
        >>> form = time_form_of(numbers, numbers.cast(pl.String), numbers)
        >>> form.said, form.unit, form.unknown
        ('seconds and milliseconds', 'mixed', (0,))
    """
    kind = values.dtype
    if kind.is_temporal():
        return TimeForm("dates") if kind == pl.Date or isinstance(kind, pl.Datetime) else None
    if numbers is not None:
        return _of_numbers(numbers)
    if texts.is_empty():
        return None
    sample = texts.head(_SAMPLE)
    # numbers among dates are no dates
    dates = sample.filter(sample.cast(pl.Float64, strict=False).is_null())
    if to_seconds(dates).count() > _NEARLY_ALL * len(sample):
        return TimeForm("dates")
    if year_last(sample).sum() > _NEARLY_ALL * len(sample):
        return _of_year_last(texts, dates)
    return None


def mostly_unknown(numbers: pl.Series) -> bool:
    """Return whether most numbers are those that are written where a time is not known; times of a course may be 0.

    Example:
        >>> mostly_unknown(pl.Series([0.0, 0.0, 1.5e9])), mostly_unknown(pl.Series([-1.0, 0.0, 1.0]))
        (True, False)
    """
    times = numbers.filter(~numbers.is_in([float(value) for value in _NO_TIMES]))
    return len(times) < len(numbers) / 2 and bool((times.abs() >= _EPOCH_FROM).all())


def _of_numbers(numbers: pl.Series) -> TimeForm | None:
    is_none = numbers.is_in([float(value) for value in _NO_TIMES])
    times = numbers.filter(~is_none)
    if times.is_empty() or mostly_unknown(numbers):
        return None
    unknown = tuple(value for value in _NO_TIMES if (numbers == value).any())
    note = ""
    if unknown:
        written = " or ".join(map(str, unknown))
        note = (
            f"{is_none.sum():,} of {len(numbers):,} times are {written}: taken as unknown, "
            "these rows are left out (unknown_times)"
        )
    if is_compact_date(times.head(_SAMPLE)).mean() > _NEARLY_ALL:  # type: ignore[operator]
        return TimeForm("dates", None, unknown=unknown, note=note)
    counts: dict[TimeUnit, int] = {}
    likely = 0
    for unit in _EPOCHS:
        seconds = times / TICKS[unit]
        found = int(((seconds >= _EPOCH_FROM) & (seconds < _EPOCH_UNTIL)).sum())
        likely += int(seconds.is_between(_LIKELY_FROM, _LIKELY_UNTIL).sum())
        if found:
            counts[unit] = found
    if sum(counts.values()) <= _NEARLY_ALL * len(times):
        return None
    said = " and ".join(_WORDS[unit] for unit in counts)
    unit = next(iter(counts)) if len(counts) == 1 else "mixed"
    return TimeForm(said, unit, None, unknown, likely > _NEARLY_ALL * len(times), note)


def _of_year_last(texts: pl.Series, sample: pl.Series) -> TimeForm:
    day_first = guess_day_first(texts)
    note = ""
    if day_first is None:
        # behaviors of a few days look like those of several months, the wrong way round
        spans = [_span(to_seconds(sample, day_first=way)) for way in (False, True)]
        day_first = "." in sample[0] or spans[1] < spans[0]
        which, other = ("day", "month") if day_first else ("month", "day")
        note = (
            f"Assumed: the {which} is first in dates such as {sample[0]!r}, whose numbers do not show it; "
            f"where the {other} is, set day_first to {str(not day_first).lower()}"
        )
    return TimeForm(
        f"dates, the {'day' if day_first else 'month'} first", None, day_first, note=note
    )


def _span(seconds: pl.Series) -> float:
    numbers = seconds.drop_nulls().to_numpy()
    return float(numbers.max() - numbers.min()) if len(numbers) else 0.0
