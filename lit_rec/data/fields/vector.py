"""Precomputed vectors, such as of an image, of a sound, or from another model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import polars as pl

from lit_rec.data.arrays import Float32s
from lit_rec.data.fields.field import Field, FittedField, refuse_values
from lit_rec.data.tables.column_values import NoSuchValuesError, numbers_of
from lit_rec.errors import ConfigError, DataError

_RULE = "vectors of equally many numbers that 32 bits hold, or nothing"


@dataclass(frozen=True)
class VectorFacts(FittedField):
    """A vector and its length.

    Args:
        column: The column.
        width: V, how many numbers a vector has.
    """

    width: int
    kind: str = field(default="vector", kw_only=True)
    of_what: ClassVar[str] = "numbers"

    @property
    def size(self) -> int:
        """V, how many numbers a vector has."""
        return self.width

    def encode(self, frame: pl.DataFrame, where: str) -> Float32s:
        """Return ``[N, V]`` float32, rows of NaN where there is none."""
        found = vectors_of(frame, self.column, where)
        return self.checked(
            found if found.shape[1] else np.full((len(frame), self.width), np.nan, np.float32),
            where,
        )

    def checked(self, vectors: Float32s, where: str) -> Float32s:
        """Return vectors of the right width.

        Raises:
            DataError: If they have another.
        """
        if vectors.shape[1] != self.width:
            raise DataError(
                f"{self.column} has vectors of {vectors.shape[1]} numbers",
                where=where,
                rule=f"{self.width} numbers, as the model was trained with",
                remedy="use vectors from the same source as in training",
            )
        return vectors


class VectorField(Field):
    """Precomputed vectors; they are not trained themselves.

    They are centred, scaled, projected and weighted like the vector of a text.

    Empty values have a learned vector of their own.

    Args:
        column: A column of lists of numbers, all of one length, or of texts such as ``0.1 0.2`` or ``[0.1, 0.2]``.

    Example:
        >>> frame = pl.DataFrame({"item_id": ["a", "b"], "image": ["0.5 2", None]})
        >>> fitted = VectorField("image").fit(frame, "data.item_fields")
        >>> fitted.size, fitted.encode(frame, "data.item_fields").tolist()
        (2, [[0.5, 2.0], [nan, nan]])
    """

    def fit(self, frame: pl.DataFrame, where: str) -> VectorFacts:
        """Find the length."""
        return self.fit_vectors(vectors_of(frame, self.column, where), where)

    def fit_vectors(self, vectors: Float32s, where: str) -> VectorFacts:
        """Find the length of what ``vectors_of`` returned."""
        if not vectors.shape[1] or np.isnan(vectors[:, 0]).all():
            raise ConfigError(
                f"column '{self.column}' has no vector in {len(vectors):,} training rows of the table",
                where=where,
                rule="a vector field has vectors",
                remedy="leave the field out",
            )
        return VectorFacts(self.column, vectors.shape[1])


def vectors_of(frame: pl.DataFrame, column: str, where: str) -> Float32s:
    """Read a column of vectors ``[N, V]`` float32, rows of NaN where there is none; V is 0 where no row has one.

    Args:
        frame: The table.
        column: The column.
        where: The option, for errors.

    Raises:
        DataError: If a value is not a vector of finite numbers as long as the first.

    Example:
        >>> frame = pl.DataFrame({"item_id": ["a", "b"], "image": ["[0.5, 2]", None]})
        >>> vectors_of(frame, "image", "data.item_fields").tolist()
        [[0.5, 2.0], [nan, nan]]
    """
    given = frame[column]
    lists = given
    if given.dtype == pl.String:
        texts = given.str.replace_all(r"[\[\],;\s]+", " ").str.strip_chars().replace("", None)
        lists = texts.str.split(" ")
    try:
        lists = numbers_of(lists)
        is_vector = isinstance(lists.dtype, pl.List)
    except NoSuchValuesError:
        is_vector = False
    if not is_vector:
        bad = given.is_not_null()
        refuse_values(frame, column, bad, where, "is not a vector", rule=_RULE)
        return np.empty((len(frame), 0), np.float32)
    lengths = lists.list.len().replace(0, None)
    width = int(lengths.drop_nulls().first() or 0)  # type: ignore[arg-type]
    finite = lists.list.eval(pl.element().cast(pl.Float32).is_finite().fill_null(False)).list.all()
    bad = lengths.is_not_null() & ((lengths != width) | ~finite)
    says = f"is not a vector of {width} finite numbers, as the first is"
    refuse_values(frame, column, bad, where, says, rule=_RULE)
    found = np.full((len(frame), width), np.nan, np.float32)
    known = lengths.is_not_null()
    if width:
        flat = lists.filter(known).explode().to_numpy()
        found[known.to_numpy()] = flat.reshape(-1, width)
    return found
