"""Dates and times of day as texts, read as seconds since 1970."""

from __future__ import annotations

from itertools import product

import polars as pl

_ZONE = r"([T ][\d:.]+) ?([zZ]|UTC|GMT|[+-]\d\d(?::?\d\d)?)$"
_DAY, _CLOCK = r"(?:[A-Za-z]{3,9},? +)?", r"(?:,?(?: at)?[ T]+(\d{1,2}:.+))?$"
_MONTH = r"([A-Za-z]{3,9})\.?"
_ZONE_WORD = r"([+-]\d\d:?\d\d|UTC|GMT)"
# forms in which year, month and day are clear, with the places of year, month, day, time of day and zone in each
_FORMS = (
    (
        rf"^{_DAY}{_MONTH} +(\d{{1,2}}) +(\d\d:\d\d:\d\d) +(?:{_ZONE_WORD} +)?(\d{{4}})$",
        (5, 1, 2, 3, 4),
    ),
    (rf"^{_DAY}{_MONTH} +(\d{{1,2}}),? +(\d{{4}}){_CLOCK}", (3, 1, 2, 4, 0)),
    (rf"^{_DAY}(\d{{1,2}})[ .-]+{_MONTH}[ ,-]+(\d{{4}}){_CLOCK}", (3, 2, 1, 4, 0)),
    (rf"^(\d{{4}})[/.](\d{{1,2}})[/.](\d{{1,2}}){_CLOCK}", (1, 2, 3, 4, 0)),
    (rf"^(\d{{1,2}}) (\d{{1,2}}), (\d{{4}}){_CLOCK}", (3, 1, 2, 4, 0)),  # month day, year: Amazon's
)
_YEAR_LAST = rf"^(\d{{1,2}})[/.-](\d{{1,2}})[/.-](\d{{4}}|\d\d){_CLOCK}"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME_OF_DAY = (
    r"^(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d+)?))? ?([AaPp])?(?:\.?[Mm]\.?)? ?"
    r"([zZ]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$"
)


def seconds_of_texts(text: pl.Series, day_first: bool | None) -> pl.Series:
    """Return ``[R]`` seconds since 1970 as Float64, null where a text is no date that can be read.

    Args:
        text: Texts without spaces around them.
        day_first: Of dates with the year last whether the day is first; None: they are null.

    Example:
        >>> texts = ["2019-10-01 00:28:02 UTC", "Thu Jan 1 01:00:00 -0700 1970", "Jan 2, 1970 1:00 am", "2.1.1970"]
        >>> seconds_of_texts(pl.Series(texts), day_first=None).to_list()
        [1569889682.0, 28800.0, 90000.0, None]
        >>> seconds_of_texts(pl.Series(["2.1.1970", "2/1/70 00:01", "31.2.1970"]), day_first=True).to_list()
        [86400.0, 86460.0, None]
    """
    read = _iso(text)
    forms = list(_FORMS)
    if day_first is not None:
        forms.append((_YEAR_LAST, (3, 2, 1, 4, 0) if day_first else (3, 1, 2, 4, 0)))
    for form, places in forms:
        rest = read.is_null() & text.str.contains(form)
        if rest.any():
            read = read.scatter(rest.arg_true(), _parts(text.filter(rest), form, places))
    return read


def year_last(text: pl.Series) -> pl.Series:
    """Return ``[R]`` bool: whether a text is a date with the year last and numbers alone: 31/12/2019, 13.04.20.

    Example:
        >>> year_last(pl.Series(["31/12/2019 10:00", "13.04.20", "2019-12-31", "good"])).to_list()
        [True, True, False, False]
    """
    return text.str.strip_chars().str.contains(_YEAR_LAST).fill_null(False)


def guess_day_first(text: pl.Series) -> bool | None:
    """Return whether dates with the year last have the day first; None where their numbers say nothing.

    Example:
        >>> guess_day_first(pl.Series(["01/02/2019", "31/12/2019"])), guess_day_first(pl.Series(["01/02/2019"]))
        (True, None)
    """
    first, second = (beyond.sum() or 0 for beyond in _beyond_months(text))
    return None if first == second else first > second


def day_orders(text: pl.Series) -> set[bool]:
    """Return whether some dates with the year last can only have the day first (True), and some the month (False).

    Example:
        >>> day_orders(pl.Series(["31/12/2019", "1/2/2019"])), day_orders(pl.Series(["1/2/2019"]))
        ({True}, set())
    """
    first, second = _beyond_months(text)
    found = {True: first & ~second, False: second & ~first}
    return {day_first for day_first, dates in found.items() if dates.any()}


def format_of(text: pl.Series, day_first: bool) -> str | None:
    """Return the format that reads all of these dates with the year last, as ``strptime`` has it; None: no one does.

    Example:
        >>> format_of(pl.Series(["31.12.2019 10:00", "1.2.2019 11:30"]), day_first=True)
        '%d.%m.%Y %H:%M'
    """
    days = "%d-%m" if day_first else "%m-%d"
    year = "%Y" if text.str.contains(r"\d{4}").all() else "%y"
    for sign, clock in product("/.-", ("", " %H:%M", " %H:%M:%S")):
        form = f"{days}-{year}".replace("-", sign) + clock
        if text.str.to_datetime(form, strict=False).null_count() == text.null_count():
            return form
    return None


def _beyond_months(text: pl.Series) -> list[pl.Series]:
    """Return for the first and the second number of dates with the year last: whether it can be no month ``[R]``."""
    text = text.str.strip_chars()
    numbers = (text.str.extract(_YEAR_LAST, place) for place in (1, 2))
    return [(number.cast(pl.Int64, strict=False) > 12).fill_null(False) for number in numbers]


def _iso(text: pl.Series) -> pl.Series:
    zone = text.str.extract(_ZONE, 2)
    local = text.str.replace(_ZONE, "$1").str.replace(" ", "T", literal=True)
    local = local.str.extract(r"^(\d{4}-\d\d-\d\d.*)$")  # a year of two digits says too little
    moments = [
        local.str.to_datetime(form, time_unit="us", strict=False).dt.timestamp("us")
        for form in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
    ]
    days = local.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    seconds = [moment / 1e6 for moment in (*moments, days.dt.timestamp("us"))]
    return pl.select(pl.coalesce(*(s - _offset(zone) for s in seconds))).to_series()


def _parts(text: pl.Series, form: str, places: tuple[int, ...]) -> pl.Series:
    """Return seconds of texts of one form."""
    year, month, day, clock, zone = (
        text.str.extract(form, place) if place else None for place in places
    )
    names = month.str.to_lowercase().str.slice(0, 3)  # type: ignore[union-attr]
    numbers = [f"{place:02}" for place in range(1, 13)]
    month = names.replace(list(_MONTHS), numbers).str.pad_start(2, "0")
    short = year.str.len_chars() == 2  # type: ignore[union-attr]
    date = pl.DataFrame({"y": year, "m": month, "d": day, "short": short}).select(
        pl.concat_str(
            # as in strptime, 69 to 99 are of the last century
            pl.when("short")
            .then(pl.when(pl.col("y") >= "69").then(pl.lit("19")).otherwise(pl.lit("20")))
            .otherwise(pl.lit("")),
            "y",
            pl.lit("-"),
            "m",
            pl.lit("-"),
            pl.col("d").str.pad_start(2, "0"),
        )
    )
    days = date.to_series().str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    seconds = days.dt.timestamp("us") / 1e6 + _time_of_day(clock)  # type: ignore[arg-type]
    return seconds if zone is None else seconds - _offset(zone)


def _time_of_day(clock: pl.Series) -> pl.Series:
    """Return seconds since midnight in UTC; 0 where there is no time of day, null where it cannot be read."""
    hours, minutes, seconds, half, zone = (
        clock.str.extract(_TIME_OF_DAY, place) for place in range(1, 6)
    )
    hour, minute = (part.cast(pl.Float64, strict=False) for part in (hours, minutes))
    second = seconds.cast(pl.Float64, strict=False).fill_null(0.0)
    table = pl.DataFrame({"h": hour, "m": minute, "s": second, "half": half.str.to_lowercase()})
    afternoon = pl.when(pl.col("half") == "p").then(12).otherwise(0)
    of_twelve = pl.when(pl.col("h").is_between(1, 12)).then(pl.col("h") % 12 + afternoon)
    h = pl.when(pl.col("half").is_null()).then(pl.col("h")).otherwise(of_twelve)
    fits = (pl.col("m") < 60) & (pl.col("s") < 61) & (h < 24)
    value = pl.when(fits).then((h * 60 + pl.col("m")) * 60 + pl.col("s"))
    read = table.select(value.alias("s")).to_series() - _offset(zone)
    return pl.select(pl.when(clock.is_null()).then(0.0).otherwise(read)).to_series()


def _offset(zone: pl.Series) -> pl.Series:
    """Return the seconds that a zone such as +01:30 is ahead of UTC; 0 for Z and where none is named."""
    digits = zone.str.replace_all(r"\D", "").str.pad_end(4, "0")
    hours = digits.str.slice(0, 2).cast(pl.Float64, strict=False)
    minutes = digits.str.slice(2, 2).cast(pl.Float64, strict=False)
    sign = zone.str.starts_with("-").cast(pl.Float64) * -2 + 1
    return ((hours * 60 + minutes) * 60 * sign).fill_null(0.0)
