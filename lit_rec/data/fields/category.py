"""Categories: a brand, an occupation, a list of tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import polars as pl

from lit_rec.data.arrays import Int64s
from lit_rec.data.fields.field import Field, FittedField, refuse_values
from lit_rec.data.tables.column_values import NoSuchValuesError, texts_of
from lit_rec.errors import ConfigError, excerpt


@dataclass(frozen=True)
class CategoryFacts(FittedField):
    """The categories that training rows have.

    Args:
        column: The column.
        separator: Text between several categories of one value.
        names: K categories, in order; the place of a category plus 1 is its code.
    """

    separator: str | None
    names: tuple[str, ...]
    kind: str = field(default="category", kw_only=True)
    of_what: ClassVar[str] = "categories"

    @property
    def size(self) -> int:
        """K, the number of categories."""
        return len(self.names)

    def encode(self, frame: pl.DataFrame, where: str) -> Int64s:
        """Return ``[N, M]`` int64 codes, M the most categories of a row; 0: none, or unseen in training."""
        pairs = _pairs(frame, self.column, self.separator, where)
        codes = pl.int_range(1, len(self.names) + 1, eager=True)
        pairs = pairs.with_columns(
            code=pl.col("name").replace_strict(list(self.names), codes, default=0)
        ).filter(pl.col("code") > 0)
        place = pairs.select(pl.int_range(pl.len()).over("row")).to_series().to_numpy()
        found = np.zeros((len(frame), int(place.max(initial=0)) + 1), np.int64)
        found[pairs["row"].to_numpy(), place] = pairs["code"].to_numpy()
        return found


class CategoryField(Field):
    """One category of several, or a list of them.

    Each category has a learned vector, a list has the mean of its categories' vectors.

    Empty values, and categories that no training row has, share a vector of their own.

    Args:
        column: A column of texts, numbers, or lists.
        separator: Text between several categories of one value, such as ``|``; without it a text is one category.
        min_count: How many rows of the table a category needs to have a vector of its own.

    Raises:
        ConfigError: If ``min_count`` is below 1, or ``separator`` is empty.

    Example:
        >>> frame = pl.DataFrame({"item_id": ["a", "b"], "genres": ["Crime|Drama", "Drama"]})
        >>> fitted = CategoryField("genres", separator="|").fit(frame, "data.item_fields")
        >>> fitted.names, fitted.encode(frame, "data.item_fields").tolist()
        (('Crime', 'Drama'), [[1, 2], [2, 0]])
    """

    def __init__(self, column: str, separator: str | None = None, min_count: int = 1) -> None:
        super().__init__(column)
        for option, wrong, rule in (
            ("min_count", min_count < 1, "1 or more"),
            ("separator", separator == "", "a text such as '|', or null"),
        ):
            if wrong:
                raise ConfigError(
                    f"{min_count if option == 'min_count' else separator!r} is not usable",
                    where=f"{option} of the category field '{column}'",
                    rule=rule,
                    remedy="leave the option out",
                )
        self.separator, self.min_count = separator, min_count

    def fit(self, frame: pl.DataFrame, where: str) -> CategoryFacts:
        """Find the categories."""
        counts = _pairs(frame, self.column, self.separator, where)["name"].value_counts(sort=True)
        names = counts.filter(pl.col("count") >= self.min_count)["name"].sort().to_list()
        if len(names) < 2:
            second = counts["count"][1] if len(counts) > 1 else 0  # with it, there are two
            raise ConfigError(
                f"column '{self.column}' has {f'the one category {excerpt(names[0])}' if names else 'no category'} "
                f"in {len(frame):,} training rows of the table",
                where=where,
                rule=f"a category field has two categories or more, each in at least {self.min_count} rows",
                remedy=f"leave the field out, or lower min_count to {second}"
                if second
                else "leave the field out",
            )
        return CategoryFacts(self.column, self.separator, tuple(names))


def _pairs(frame: pl.DataFrame, name: str, separator: str | None, where: str) -> pl.DataFrame:
    """Return ``row`` and ``name`` of each distinct category of each row of the table, without empty ones.

    Raises:
        DataError: If the values cannot be read as texts.
    """
    column = frame[name]
    try:
        texts = texts_of(column)
    except NoSuchValuesError as error:
        says = f"is no category, for the column {error}"
        rule = "texts, numbers, dates, or lists of them"
        refuse_values(frame, name, column.is_not_null(), where, says, rule=rule)
        texts = pl.Series(name, [None] * len(column), pl.String)
    if not isinstance(texts.dtype, pl.List):
        texts = texts.str.split(separator) if separator else texts.reshape((-1, 1)).arr.to_list()
    return (
        pl.DataFrame({"row": pl.int_range(len(column), eager=True), "name": texts})
        .explode("name")
        .with_columns(pl.col("name").str.strip_chars())
        .filter(pl.col("name") != "")
        .unique(maintain_order=True)
    )
