"""Field: a column of the items or users table that is not read as text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import polars as pl

from lit_rec.data.arrays import Float32s, Int64s
from lit_rec.data.tables.problems import SHOWN, first_of
from lit_rec.errors import DataError, excerpt

_KEYS = ("item_id", "user_id")

Values = Float32s | Int64s


@dataclass(frozen=True)
class FittedField(ABC):
    """What the training rows say about a field: plain values, stored in Facts and so in the checkpoint.

    Args:
        column: The column, which is the field's name as well.
        kind: What it holds: ``number``, ``category`` or ``vector``.
    """

    column: str
    kind: str = field(kw_only=True)
    of_what: ClassVar[str]  # what ``size`` counts

    @property
    @abstractmethod
    def size(self) -> int:
        """The number of bins, categories, or numbers of a vector; ``of_what`` says which."""

    @abstractmethod
    def encode(self, frame: pl.DataFrame, where: str) -> Values:
        """Return the values of a table's N rows, ready for a network.

        Args:
            frame: A table with the column.
            where: Option or call that the table is from, for errors.

        Raises:
            DataError: If a value cannot be read.
        """


class Field(ABC):
    """How a column is read.

    ``fit`` of your own field returns facts that networks can encode: ``NumberFacts``, ``CategoryFacts`` or
    ``VectorFacts``.

    Args:
        column: A column of the items or users table.
    """

    def __init__(self, column: str) -> None:
        self.column = column

    @abstractmethod
    def fit(self, frame: pl.DataFrame, where: str) -> FittedField:
        """Fit the field on the items or users of the training rows.

        Args:
            frame: A table with the column.
            where: The option, for errors.

        Raises:
            DataError: If a value cannot be read.
            ConfigError: If the column has nothing to learn from, such as a single value.
        """


def refuse_values(
    frame: pl.DataFrame, column: str, bad: pl.Series, where: str, says: str, *, rule: str
) -> None:
    """Raise if ``bad`` is True anywhere; the error shows the first ids and their values.

    Args:
        frame: The table.
        column: The column that is wrong.
        bad: ``[N]`` bool; null is not bad.
        where: Option or call, for errors.
        says: What is wrong with such a value.
        rule: What must hold.

    Raises:
        DataError: If a row is bad.
    """
    rows = bad.fill_null(False).arg_true()
    if rows.is_empty():
        return
    first = frame.with_row_index("row", offset=1)[rows.head(SHOWN)]
    key = next((name for name in _KEYS if name in frame.columns), "row")
    places = [f"{key} {excerpt(id_) if key in _KEYS else id_}" for id_ in first[key].to_list()]
    shown = first_of(len(rows), places, [excerpt(value) for value in first[column].to_list()])
    raise DataError(
        f"{column} {says}: {shown}",
        where=where,
        rule=rule,
        remedy="correct these values, or leave them empty",
    )
