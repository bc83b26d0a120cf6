"""The values of a column read as times: numbers in several units, dates as people write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from lit_rec.data.tables.column_values import NoSuchValuesError, kind_of, texts_of
from lit_rec.data.tables.written_dates import (
    day_orders,
    format_of,
    seconds_of_texts,
    year_last,
)

TimeUnit = Literal["s", "ms", "us", "ns", "d", "mixed", "unknown"]
TICKS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9, "d": 1 / 86400, "unknown": 1.0}  # in a second
# numbers of a smaller size are of this unit, where each number's size says its unit: from the year 1973 to 2286
SIZES = {"s": 1e10, "ms": 1e13, "us": 1e16}
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class TimeRules:
    """How the times of a table are read.

    Args:
        unit: Unit of numbers since 1970. ``d`` are days; ``mixed``: the size of each number says its unit, of s, ms, us
            and ns; ``unknown``: the numbers only have an order.
        day_first: Of dates such as 13.04.2020 whether the day is first; None: such dates are not read.
        unknown: Numbers that say that a time is not known, such as 0.
        option: The option that sets ``day_first``, for errors.
        in_frame: Whether the times are of a frame in Python, for errors.

    Example:
        >>> TimeRules("mixed").seconds(pl.Series([1500000000, 1500000060000])).to_list()
        [1500000000.0, 1500000060.0]
        >>> TimeRules(day_first=True).seconds(pl.Series(["13.04.2020", "2020-04-13"])).to_list()
        [1586736000.0, 1586736000.0]
    """

    unit: TimeUnit = "s"
    day_first: bool | None = None
    unknown: tuple[float, ...] = ()
    option: str = ""
    in_frame: bool = False

    def seconds(self, column: pl.Series) -> pl.Series:
        """Return seconds since 1970 as Float64, null where a value cannot be read; unknown times are null as well.

        Raises:
            NoSuchValuesError: If the column holds neither texts nor numbers nor dates.
        """
        unknown = self.is_unknown(column)
        if unknown.any():
            column = pl.select(pl.when(~unknown).then(column).alias(column.name)).to_series()
        seconds = to_seconds(column, day_first=self.day_first, compact=self.unit == "s")
        if self.unit == "mixed":
            return in_seconds(seconds)
        return seconds if self.unit == "s" else seconds / TICKS[self.unit]

    def is_unknown(self, column: pl.Series) -> pl.Series:
        """Return ``[R]`` bool: whether a value is one of the numbers that say so."""
        if not self.unknown or column.dtype.is_temporal() or column.dtype.is_nested():
            return pl.repeat(False, len(column), dtype=pl.Boolean, eager=True)
        value = column.str.strip_chars() if column.dtype == pl.String else column
        return value.cast(pl.Float64, strict=False).is_in(list(self.unknown)).fill_null(False)

    def instead(self, column: pl.Series) -> str:
        """Return what to do where dates have the year last; empty where they are to be corrected.

        Args:
            column: Times as texts, such dates among them.
        """
        dates = column.filter(year_last(column))
        orders = day_orders(dates)
        if len(orders) > 1:
            return "write all dates in one order, such as 2019-12-31"
        if self.in_frame or not self.option:
            return (
                _year_first(column, orders) if self.in_frame else "write 2019-12-31 for 31/12/2019"
            )
        if not orders and self.day_first is None:
            ways = (
                "true where the day is first (31/12/2019), to false where the month is (12/31/2019)"
            )
            return f"set {self.option} to {ways}"
        if not orders or orders == {self.day_first}:
            return ""
        return f"set {self.option} to {'true: the day' if True in orders else 'false: the month'} is first"


def _year_first(column: pl.Series, orders: set[bool]) -> str:
    """Return the code that reads dates with the year last in a frame."""
    code = f"`frame.with_columns(pl.col('{column.name}').str.to_datetime('{{}}'))`"
    forms = [format_of(column, day_first) for day_first in orders or (True, False)]
    if None in forms:
        return "write 2019-12-31 for 31/12/2019"
    remedy = f"read them: {code.format(forms[0])}"
    return remedy if orders else f"{remedy} where the day is first, '{forms[1]}' where the month is"


def in_seconds(numbers: pl.Series) -> pl.Series:
    """Return seconds; the size of each number says its unit.

    Example:
        >>> in_seconds(pl.Series([0.0, 1.5e9, 1.5e12, 1.5e18])).to_list()
        [0.0, 1500000000.0, 1500000000.0, 1500000000.0]
    """
    value, size = pl.col("value"), pl.col("value").abs()
    milli = pl.when(size < SIZES["s"]).then(value).when(size < SIZES["ms"]).then(value / 1e3)
    read = milli.when(size < SIZES["us"]).then(value / 1e6).otherwise(value / 1e9)
    return pl.DataFrame({"value": numbers}).select(read.alias(numbers.name)).to_series()


def to_seconds(
    column: pl.Series, *, day_first: bool | None = None, compact: bool = True
) -> pl.Series:
    """Return seconds since 1970 as Float64, null where a value is no time.

    Numbers are seconds. Texts are ISO dates and times, or other forms in which year, month and day are clear:
    ``2017/07/14``, ``Thu Jul 13 19:40:00 -0700 2017``, ``July 13, 2017 7:40 PM``. Text without a time zone is in UTC.

    Args:
        column: Times.
        day_first: Of dates such as 13.04.2020 whether the day is first; None: they are null.
        compact: Whether numbers such as 20170714 and 20170714194000 are dates, if nearly all numbers are: then other
            numbers are null.

    Raises:
        NoSuchValuesError: If the column holds neither texts nor numbers nor dates.

    Example:
        >>> to_seconds(pl.Series(["881250949", "1970-01-02", "1970-01-01T02:00+01:30", "soon"])).to_list()
        [881250949.0, 86400.0, 1800.0, None]
        >>> to_seconds(pl.Series([20170714, 20170715])).to_list()
        [1499990400.0, 1500076800.0]
    """
    kind = column.dtype
    if kind.is_numeric():
        return _numbers(column.cast(pl.Float64), compact)
    # from the stored numbers: dates far away could overflow in smaller units
    if kind == pl.Date:
        return column.to_physical().cast(pl.Float64) * 86400.0
    if isinstance(kind, pl.Datetime):
        return column.to_physical().cast(pl.Float64) / TICKS[kind.time_unit]
    text = texts_of(column)
    if kind.is_temporal() or text.dtype != pl.String:
        raise NoSuchValuesError(f"holds {kind_of(kind)}")
    text = text.str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    read = _numbers(number, compact)
    if not number.is_null().any():
        return read
    is_text = number.is_null()
    dates = pl.Series(column.name, [None], dtype=pl.Float64).new_from_index(0, len(text))
    dates = dates.scatter(is_text.arg_true(), seconds_of_texts(text.filter(is_text), day_first))
    return dates.zip_with(is_text, read)


def is_compact_date(numbers: pl.Series) -> pl.Series:
    """Return ``[R]`` bool: whether a number is a day of the years 1900 to 2100, such as 20170714 or 20170714194000.

    Example:
        >>> is_compact_date(pl.Series([20170714.0, 20171314.0, 20170714194000.0, 1.5e9, None])).to_list()
        [True, False, True, False, False]
    """
    return _compact(numbers).is_not_null()


def _numbers(numbers: pl.Series, compact: bool) -> pl.Series:
    """Return numbers as seconds."""
    if not compact:
        return numbers
    in_range = numbers.is_between(19_000_101, 21_001_231)
    in_range |= numbers.is_between(19_000_101_000_000, 21_001_231_235_959)
    filled = numbers.len() - numbers.null_count()
    if not filled or (in_range.sum() or 0) <= _NEARLY_ALL * filled:
        return numbers
    dates = _compact(numbers)
    return dates if dates.count() > _NEARLY_ALL * filled else numbers


def _compact(numbers: pl.Series) -> pl.Series:
    whole = numbers.cast(pl.Float64).round()
    text = whole.filter(whole == numbers).cast(pl.Int64, strict=False).cast(pl.String)
    text = text.str.replace(r"^(\d{8})$", "${1}000000").str.extract(r"^((?:19|20|2100)\d{10,12})$")
    moment = text.str.to_datetime("%Y%m%d%H%M%S", time_unit="us", strict=False)
    read = pl.Series([None], dtype=pl.Float64).new_from_index(0, len(numbers))
    places = (whole == numbers).fill_null(False).arg_true()
    return read.scatter(places, moment.dt.timestamp("us") / 1e6).alias(numbers.name)
