"""Numbers: a price, a year, an age."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import polars as pl

from lit_rec.data.arrays import Float32s, Float64s
from lit_rec.data.fields.field import Field, FittedField, refuse_values
from lit_rec.data.tables.column_values import NoSuchValuesError, is_usable, kind_of, numbers_of
from lit_rec.errors import ConfigError

_RULE = "numbers that 32 bits hold, or nothing"


@dataclass(frozen=True)
class NumberFacts(FittedField):
    """A number and the edges of its bins.

    Args:
        column: The column.
        edges: Increasing quantiles of the training rows' values, at least two.
    """

    edges: tuple[float, ...]
    kind: str = field(default="number", kw_only=True)
    of_what: ClassVar[str] = "bins"

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self.edges) - 1

    def encode(self, frame: pl.DataFrame, where: str) -> Float32s:
        """Return ``[N]`` float32, NaN where there is none."""
        return _numbers(frame, self.column, where).astype(np.float32)


class NumberField(Field):
    """A number, divided into bins with equally many training items (or users).

    A number is encoded by its bin and its position within the bin. So near numbers stay near, whatever the scale: a
    price needs no logarithm, and a single extreme price changes nothing. Empty values have a learned vector of their
    own.

    Args:
        column: A column of numbers, or of texts that are numbers.
        bins: Largest number of bins; equal quantiles are merged.

    Raises:
        ConfigError: If ``bins`` is below 1.

    Reference:
        Gorishniy et al. 2022, On embeddings for numerical features, https://arxiv.org/abs/2203.05556, section 3.2
        (piecewise linear encoding with quantiles).

    Example:
        >>> frame = pl.DataFrame({"item_id": ["a", "b", "c"], "price": ["1", "3", None]})
        >>> NumberField("price", bins=2).fit(frame, "data.item_fields").edges
        (1.0, 2.0, 3.0)
    """

    def __init__(self, column: str, bins: int = 16) -> None:
        super().__init__(column)
        if bins < 1:
            raise ConfigError(
                f"{bins} is too small",
                where=f"bins of the number field '{column}'",
                rule="1 or more",
                remedy="16 suits most numbers",
            )
        self.bins = bins

    def fit(self, frame: pl.DataFrame, where: str) -> NumberFacts:
        """Find the edges of the bins."""
        found = _numbers(frame, self.column, where)
        found = found[~np.isnan(found)]
        places = np.linspace(0, 1, self.bins + 1)
        edges = np.unique(np.quantile(found, places)) if len(found) else found
        if len(edges) < 2:
            seen = f"the one value {edges[0]:g}" if len(edges) else "no value"
            raise ConfigError(
                f"column '{self.column}' has {seen} in {len(frame):,} training rows of the table",
                where=where,
                rule="a number field has two values or more",
                remedy="leave the field out",
            )
        return NumberFacts(self.column, tuple(float(edge) for edge in edges))


def _numbers(frame: pl.DataFrame, column: str, where: str) -> Float64s:
    given = frame[column]
    try:
        if given.dtype.is_nested():
            raise NoSuchValuesError(f"holds {kind_of(given.dtype)}")
        value = numbers_of(given)
    except NoSuchValuesError as error:
        says = f"is not a finite number, for the column {error}"
        refuse_values(frame, column, given.is_not_null(), where, says, rule=_RULE)
        value = pl.Series(column, [None] * len(given), pl.Float64)
    if given.dtype == pl.String:
        given = given.str.strip_chars().replace("", None)
    # many libraries write NaN for an absent value
    bad = (value.is_null() & given.is_not_null()) | ~(is_usable(value) | value.is_nan())
    refuse_values(frame, column, bad, where, "is not a finite number", rule=_RULE)
    return value.fill_null(np.nan).to_numpy().astype(np.float64)
