"""CellRules: which cells of a table are missing values, decimal commas, or HTML; for all columns but ids."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from lit_rec.data.tables.html_text import clean_cells
from lit_rec.errors import ConfigError, did_you_mean, excerpt, some_of

# as people and programs write a value that is not there; numbers have it in any case
MISSING = (
    *("", "NaN", "nan", "NAN", "NULL", "Null", "null", "None", "NA", "N/A", "n/a", "-", "\\N"),
    *("#N/A", "<NA>", "?"),
)
IDS = ("user_id", "item_id", "impression_id", "history")  # columns of behaviors
_MISSING_NUMBERS = frozenset(marker.lower() for marker in MISSING)
_COMMA = r"^\s*[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+\s*$"
_WHOLE = r"^\s*[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)\s*$"
Missing = Mapping[str, Sequence[str | float]] | Sequence[str | float]


def is_missing(texts: pl.Series) -> pl.Series:
    """Return ``[R]`` bool: whether a text stands for a missing value, in any case of its letters; null for null.

    Example:
        >>> is_missing(pl.Series(["NA", " nan ", "4", "-"])).to_list()
        [True, True, False, True]
    """
    return texts.str.strip_chars().str.to_lowercase().is_in(_MISSING_NUMBERS)


def has_decimal_commas(column: pl.Series) -> bool:
    """Return whether all values are numbers with a decimal comma, or whole; at least one has a comma.

    Example:
        >>> [has_decimal_commas(pl.Series(c)) for c in (["3,5", "4", "NA"], ["3.5", "4"], ["3,5", "a, b"])]
        [True, False, False]
    """
    if column.dtype != pl.String:
        return False
    texts = column.drop_nulls()
    texts = texts.filter(~is_missing(texts))
    commas = texts.str.contains(_COMMA)
    return bool(commas.any()) and bool((commas | texts.str.contains(_WHOLE)).all())


@dataclass(frozen=True)
class CellRules:
    """How cells are read, for all columns of a table but its ids.

    Args:
        missing: Further texts and numbers that stand for a missing value, in every column, ids too; or column -> those
            of this column: an empty list means that no text does.
        decimal: What separates the fraction of a number.
        clean_html: Whether HTML tags are removed, and entities replaced, in cells that have them.
        strip_ids: Whether spaces around ids are removed.

    Example:
        >>> rules = CellRules(missing={"stars": [-1]}, decimal=",")
        >>> rules.read(pl.Series("stars", ["3,5", "-1", "NA"])).to_list()
        ['3.5', None, None]
        >>> rules.read(pl.Series("title", ["Caf&eacute; <b>7</b>", "NaN"])).to_list()
        ['Café 7', None]
    """

    missing: Missing = field(default=())
    decimal: Literal[".", ","] = "."
    clean_html: bool = True
    strip_ids: bool = False

    def read(self, column: pl.Series) -> pl.Series:
        """Return a column that holds no ids with nulls for missing values; numbers have decimal points.

        Args:
            column: Texts, lists of texts, or values of another type.
        """
        if self.clean_html:
            column = clean_cells(column)
        named = self._named(column.name)
        markers = (*MISSING, *named) if named or not self._is_kept(column.name) else ()
        column = _without(column, markers)
        if self.decimal == "," and has_decimal_commas(column):
            return _with_points(column)
        return column

    def read_ids(self, column: pl.Series) -> pl.Series:
        """Return ids as they are, nulls for those that ``missing`` names: an id may be ``NA``."""
        if self.strip_ids and column.dtype == pl.String:
            column = column.str.strip_chars()
        elif self.strip_ids and column.dtype == pl.List(pl.String):
            column = column.list.eval(pl.element().str.strip_chars())
        return _without(column, self._named(column.name))

    def check_named(
        self, there: Iterable[str], option: str, renamed: Mapping[str, str] | None = None
    ) -> None:
        """Check that ``missing`` names columns that are there.

        Args:
            there: Names of all columns.
            option: The option that holds ``missing``, for the error.
            renamed: Name in the file -> canonical name, for the error.

        Raises:
            ConfigError: If one is not.
        """
        columns, renamed = list(dict.fromkeys(there)), renamed or {}
        for name in self.missing if isinstance(self.missing, Mapping) else ():
            if name not in columns:
                raise ConfigError(
                    f"no table has a column {excerpt(name)}; there are {some_of(columns)}",
                    where=option,
                    rule="canonical names, and names of other columns as in the file",
                    remedy=f"write {renamed[name]} for it"
                    if name in renamed
                    else did_you_mean(name, columns, "name one of these columns"),
                )

    def read_table(self, frame: pl.DataFrame, ids: Collection[str]) -> pl.DataFrame:
        """Return a table with its cells read.

        Args:
            frame: The table.
            ids: Its columns of ids.
        """
        return frame.with_columns(
            self.read_ids(column) if column.name in ids else self.read(column) for column in frame
        )

    def numbers(self, column: pl.Series) -> pl.Series:
        """Return a column of numbers with a point for the comma, where a cell is a number with one."""
        return _with_points(column) if self.decimal == "," else column

    def _named(self, name: str) -> tuple[str | float, ...]:
        if isinstance(self.missing, Mapping):
            return tuple(self.missing.get(name, ()))
        return tuple(self.missing)

    def _is_kept(self, name: str) -> bool:
        return isinstance(self.missing, Mapping) and name in self.missing


def _without(column: pl.Series, markers: Sequence[str | float]) -> pl.Series:
    """Return a column with nulls for the markers; a marker that is a number also equals ``-1.0`` if it is ``-1``."""
    if not markers or column.dtype.is_nested():
        return column
    numbers = [number for marker in markers if (number := _number(marker)) is not None]
    if column.dtype.is_numeric():
        column = column.fill_nan(None) if column.dtype.is_float() else column
        return (
            column.set(column.cast(pl.Float64).is_in(numbers).fill_null(False), None)
            if numbers
            else column
        )
    if column.dtype != pl.String:
        return column
    texts = column.str.strip_chars()
    found = texts.is_in([str(marker) for marker in markers])
    if numbers:
        found |= texts.cast(pl.Float64, strict=False).is_in(numbers).fill_null(False)
    return column.set(found.fill_null(False), None) if found.any() else column


def _number(marker: str | float) -> float | None:
    try:
        number = float(marker)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _with_points(column: pl.Series) -> pl.Series:
    if column.dtype != pl.String:
        return column
    texts = column.str.strip_chars()
    points = texts.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    is_number = texts.str.contains(_COMMA) | texts.str.contains(_WHOLE)
    made = pl.DataFrame({"a": column, "b": points, "is": is_number})
    return made.select(pl.when("is").then("b").otherwise("a").alias(column.name)).to_series()
