"""The fields of a table, of items or of users: checked, fitted, encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.arrays import Float32s
from lit_rec.data.fields.category import CategoryFacts
from lit_rec.data.fields.field import Field, FittedField, Values
from lit_rec.data.fields.number import NumberFacts
from lit_rec.data.fields.vector import VectorFacts, VectorField, vectors_of
from lit_rec.errors import ConfigError, did_you_mean, excerpt, some_of

_KINDS = {"number": NumberFacts, "category": CategoryFacts, "vector": VectorFacts}

Vectors = Mapping[str, Float32s]


def check_fields(fields: Sequence[Field], frame: pl.DataFrame, where: str) -> None:
    """Check that each field has a column of its own.

    Args:
        fields: The fields.
        frame: The table.
        where: The option.

    Raises:
        ConfigError: If a column is absent, or named twice.
    """
    names = [field.column for field in fields]
    there = set(frame.columns)
    for name in names:
        if name not in there:
            raise ConfigError(
                f"the table has no column {excerpt(name)}; it has {some_of(frame.columns)}",
                where=where,
                rule="columns of the table",
                remedy=did_you_mean(name, frame.columns, "name one of these columns"),
            )
        if names.count(name) > 1:
            raise ConfigError(
                f"column '{name}' is named {names.count(name)} times",
                where=where,
                rule="a column is one field",
                remedy="leave one of them",
            )


def vector_columns(fields: Sequence[Field], frame: pl.DataFrame, where: str) -> dict[str, Any]:
    """Return the vectors ``[N, V]`` of each vector field, by its column.

    Raises:
        DataError: If a value is not such a vector.
    """
    return {
        field.column: vectors_of(frame, field.column, where)
        for field in fields
        if isinstance(field, VectorField)
    }


def fit_fields(
    fields: Sequence[Field],
    frame: pl.DataFrame,
    rows: npt.NDArray[np.integer[Any]],
    vectors: Vectors,
    where: str,
) -> tuple[FittedField, ...]:
    """Fit each field on some rows of its table.

    Args:
        fields: The fields.
        frame: The table.
        rows: Rows of it that training rows name.
        vectors: What ``vector_columns`` returned, of the whole table.
        where: The option.

    Raises:
        DataError: If a value cannot be read.
        ConfigError: If a column has nothing to learn from.
    """
    seen = frame[rows]
    return tuple(
        field.fit_vectors(vectors[field.column][rows], where)
        if isinstance(field, VectorField)
        else field.fit(seen, where)
        for field in fields
    )


def encode_fields(
    fitted: Sequence[FittedField], frame: pl.DataFrame, where: str, vectors: Vectors | None = None
) -> dict[str, Values]:
    """Return the values of every row of a table, by the column.

    Args:
        fitted: The fields, fitted on training rows.
        frame: The table; a column that it does not have counts as empty.
        where: Option or call that the table is from.
        vectors: Vectors ``[N, V]`` that are not in the table itself.

    Returns:
        Numbers ``[N]``, codes ``[N, M]``, vectors ``[N, V]``.

    Raises:
        DataError: If a value cannot be read.
    """
    given = vectors or {}
    values: dict[str, Values] = {}
    for field in fitted:
        if isinstance(field, VectorFacts) and field.column in given:
            values[field.column] = field.checked(np.asarray(given[field.column]), where)
            continue
        if field.column not in frame.columns:
            frame = frame.with_columns(pl.lit(None, pl.String).alias(field.column))
        values[field.column] = field.encode(frame, where)
    return values


def fitted_from_plain(plain: Mapping[str, Any]) -> FittedField:
    """Rebuild a field from its dictionary.

    Example:
        >>> fitted_from_plain({"kind": "vector", "column": "image", "width": 3}).size
        3
    """
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
    fitted: FittedField = _KINDS[plain["kind"]](**values)
    return fitted
