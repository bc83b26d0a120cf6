"""The values of a column read as ids, as numbers, as texts; times are read by `times`.

A type that cannot be read so raises an error whose text is for users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from lit_rec.errors import excerpt

FURTHEST = 9e12  # seconds: what 64 bits of microseconds hold, 292,000 years
_WHOLE_UNTIL: dict[type[pl.DataType], int] = {
    pl.Float32: 2**24,
    pl.Float64: 2**53,
}  # below, each whole number is a float of its own
_OTHER_FLOAT = 2**11  # of 16 bits
_TICKS = {"ms": 1e3, "us": 1e6, "ns": 1e9}  # in a second
_DAYS = (-719_162.0, 2_932_896.0)  # of the years 1 to 9999, from 1970
_DATES = (pl.Date, pl.Datetime, pl.Time)


class NoSuchValuesError(ValueError):
    """The values of a column are of the wrong kind; the text says what they are, such as ``holds dates``."""


def plain_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table with simpler types: categories, bytes, arrays and empty columns become texts or lists.

    Categories become their names. Bytes that are UTF-8 become texts (older writers leave texts as bytes). Arrays become
    lists, and columns without any value become empty texts.

    Raises:
        NoSuchValuesError: If a date is outside the years 1 to 9999: it could not be written as text.

    Example:
        >>> frame = pl.DataFrame({"a": pl.Series(["x"], dtype=pl.Categorical), "b": [b"y"], "c": [None]})
        >>> plain_columns(frame).dtypes
        [String, String, String]
    """
    for name, kind in frame.schema.items():
        if kind.is_temporal() or kind.is_nested():
            _check_calendar(frame[name])
    changed = [_plain(frame[n]) for n, kind in frame.schema.items() if _plain_type(kind) != kind]
    return frame.with_columns(changed) if changed else frame


def _check_calendar(column: pl.Series) -> None:
    while isinstance(column.dtype, pl.List | pl.Array):
        column = column.explode()
    kind = column.dtype
    if not isinstance(kind, pl.Date | pl.Datetime):
        return
    in_day = 1.0 if isinstance(kind, pl.Date) else 86400 * _TICKS[kind.time_unit]
    days = column.to_physical().cast(pl.Float64) / in_day
    far = days.filter(~days.is_between(*_DAYS).fill_null(True))
    if len(far):
        raise NoSuchValuesError(
            f"column {excerpt(column.name)} holds a date {far[0]:.0f} days from 1970, outside the years 1 to 9999"
        )


def _plain_type(kind: pl.DataType) -> pl.DataType:
    if isinstance(kind, pl.List | pl.Array):
        return pl.List(_plain_type(kind.inner))  # type: ignore[arg-type]
    is_text = isinstance(kind, pl.Categorical | pl.Enum | pl.Binary | pl.Null)
    return pl.String() if is_text else kind


def _plain(column: pl.Series) -> pl.Series:
    kind = _plain_type(column.dtype)
    try:
        return column if kind == column.dtype else column.cast(kind)
    except pl.exceptions.PolarsError:  # bytes that are not text
        return column


def kind_of(kind: pl.DataType) -> str:
    """Return in a few words what a column of a type holds.

    Example:
        >>> [kind_of(kind) for kind in (pl.Date(), pl.List(pl.Struct({"a": pl.Int8})), pl.Binary())]
        ['dates', 'lists of objects', 'bytes that are no text']
    """
    if isinstance(kind, pl.List | pl.Array):
        return f"lists of {kind_of(kind.inner)}"  # type: ignore[arg-type]
    for of_kind, word in (
        (pl.String, "texts"),
        (pl.Boolean, "true and false"),
        (pl.Date, "dates"),
        (pl.Datetime, "dates with a time"),
        (pl.Time, "times of the day"),
        (pl.Duration, "durations"),
        (pl.Binary, "bytes that are no text"),
        (pl.Struct, "objects"),
    ):
        if isinstance(kind, of_kind):
            return word
    return "numbers" if kind.is_numeric() else f"values of the type {str(kind)[:40]}"


def ids_of(column: pl.Series) -> pl.Series:
    """Return ids as texts, null where there is none; those of lists as lists.

    Whole numbers are written without a fraction, whatever their type. (Where an id is missing, pandas turns the whole
    column into floats; its ids still match those of the other table.)

    Raises:
        NoSuchValuesError: If they are neither texts nor numbers, or floats so large that two ids could be equal.

    Example:
        >>> ids_of(pl.Series([7.0, None, 2.5])).to_list(), ids_of(pl.Series([[7, 8]])).to_list()
        (['7', None, '2.5'], [['7', '8']])
    """
    column = _plain(column)
    kind = _kind_of_entries(column)
    if kind.is_float():
        _check_distinct(column)
    elif not (kind.is_numeric() or kind == pl.String):
        raise NoSuchValuesError(f"holds {kind_of(column.dtype)}")
    return _each(column, lambda value: _id(value, kind))


def _id(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind.is_float():
        value = value.fill_nan(None)
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(value == whole).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
    text = value.cast(pl.String)
    if kind.is_decimal():
        return text.str.replace(r"\.0*$", "").str.replace(r"(\.\d*[1-9])0+$", "$1")
    return text


def _check_distinct(column: pl.Series) -> None:
    """Raise if a float is so large that the next whole number cannot be written as a float."""
    entries = column.explode() if isinstance(column.dtype, pl.List) else column
    limit = _WHOLE_UNTIL.get(type(entries.dtype), _OTHER_FLOAT)
    large = entries.filter((entries.abs() >= limit).fill_null(False) & ~entries.is_nan())
    if len(large):
        raise NoSuchValuesError(
            f"holds {large[0]:.0f} as {entries.dtype}, which also stands for the numbers next to it"
        )


def numbers_of(column: pl.Series) -> pl.Series:
    """Return numbers as Float64, null where a text is not a number; true is 1 and false 0; those of lists as lists.

    Raises:
        NoSuchValuesError: If they are neither texts nor numbers.

    Example:
        >>> numbers_of(pl.Series([" 4.5", "", "good", None])).to_list(), numbers_of(pl.Series([True])).to_list()
        ([4.5, None, None, None], [1.0])
    """
    column = _plain(column)
    kind = _kind_of_entries(column)
    if not (kind.is_numeric() or kind in (pl.String, pl.Boolean)):
        raise NoSuchValuesError(f"holds {kind_of(column.dtype)}")
    return _each(
        column,
        lambda value: (value.str.strip_chars() if kind == pl.String else value).cast(
            pl.Float64, strict=False
        ),
    )


def is_usable(numbers: pl.Series) -> pl.Series:
    """Return ``[R]`` bool: whether a number is finite as the 32-bit float that a network reads; null for null.

    Example:
        >>> is_usable(pl.Series([1.5, 1e39, float("nan"), None])).to_list()
        [True, False, False, None]
    """
    return numbers.cast(pl.Float32).is_finite()


def texts_of(column: pl.Series) -> pl.Series:
    """Return values as texts, null where there is none; those of lists as lists.

    Raises:
        NoSuchValuesError: If they cannot be written as text: objects, lists of lists, durations, bytes.

    Example:
        >>> texts_of(pl.Series([1995.0, float("nan")])).to_list(), texts_of(pl.Series([["a"], None])).to_list()
        (['1995.0', None], [['a'], None])
    """
    column = _plain(column)
    kind = _kind_of_entries(column)
    if not (kind.is_numeric() or kind in (pl.String, pl.Boolean) or isinstance(kind, _DATES)):
        raise NoSuchValuesError(f"holds {kind_of(column.dtype)}")
    return _each(
        column,
        lambda value: (value.fill_nan(None) if kind.is_float() else value).cast(pl.String),
    )


def _kind_of_entries(column: pl.Series) -> pl.DataType:
    kind = column.dtype
    return kind.inner if isinstance(kind, pl.List) else kind  # type: ignore[return-value]


def _each(column: pl.Series, made_of: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """Return what is made of each value, or of each entry of lists."""
    if isinstance(column.dtype, pl.List):
        return column.list.eval(made_of(pl.element()))
    made = pl.DataFrame([column.alias("value")]).select(made_of(pl.col("value")))
    return made.to_series().alias(column.name)


def shown_columns(items: pl.DataFrame, names: Iterable[str]) -> dict[str, list[str | None]]:
    """Return columns as text, the values of a list joined by commas; nulls where the table has no such column.

    Example:
        >>> shown_columns(pl.DataFrame({"year": [1984], "genres": [["Drama", "War"]]}), ["genres", "year", "title"])
        {'genres': ['Drama, War'], 'year': ['1984'], 'title': [None]}
    """
    shown: dict[str, list[str | None]] = {}
    for name in names:
        shown[name] = _as_text(items[name]) if name in items.columns else [None] * len(items)
    return shown


def _as_text(column: pl.Series) -> list[str | None]:
    try:
        texts = texts_of(column)
    except NoSuchValuesError:  # lists of lists, durations, bytes
        return [None if value is None else str(value) for value in column.to_list()]
    if isinstance(texts.dtype, pl.List):
        texts = texts.list.join(", ", ignore_nulls=True)
    return texts.to_list()
