"""Entities: a cached table of items or of users, with rendered texts and separate vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lit_rec.data.arrays import Float32s
from lit_rec.data.fields.field import Field
from lit_rec.data.fields.table_fields import check_fields, vector_columns
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError
from lit_rec.files.parquet import read_parquet, write_parquet


@dataclass(frozen=True)
class Entities:
    """I items, or U users.

    Args:
        table: Their ids and columns except vectors, which would take too much room in checkpoints and memory.
        texts: The texts that a template makes from them, a column per field.
        vectors: By column, ``[I, V]`` float32, memory-mapped; rows of NaN where there is none.
    """

    table: pl.DataFrame
    texts: pl.DataFrame
    vectors: Mapping[str, Float32s] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> Entities:
        """Memory-map what ``write_entities`` wrote."""
        names = read_parquet(folder / "vectors.parquet")["column"].to_list()
        return cls(
            read_parquet(folder / "table.parquet"),
            read_parquet(folder / "texts.parquet"),
            {
                name: np.load(folder / f"vectors_{place}.npy", mmap_mode="r")
                for place, name in enumerate(names)
            },
        )


def write_entities(
    folder: Path,
    table: pl.DataFrame,
    template: TextTemplate | None,
    fields: Sequence[Field],
    *,
    options: tuple[str, str],
) -> None:
    """Check a table, render its texts, and write it into a folder of its own.

    Args:
        folder: Where to write.
        table: The items, or the users in the order of their codes.
        template: Makes their texts; None: no texts.
        fields: Columns that are not read as text.
        options: The options that named the template and the fields, for errors.

    Raises:
        ConfigError: If a column is not in the table.
        DataError: If a vector cannot be read.
    """
    check_fields(fields, table, options[1])
    vectors: dict[str, Any] = vector_columns(fields, table, options[1])
    texts = template.render(table, option=options[0]) if template else table.select([])
    folder.mkdir(exist_ok=True)
    for place, values in enumerate(vectors.values()):
        np.save(folder / f"vectors_{place}.npy", values)
    names = pl.DataFrame({"column": list(vectors)}, schema={"column": pl.String})
    write_parquet(names, folder / "vectors.parquet")
    write_parquet(table.drop(vectors), folder / "table.parquet")
    write_parquet(texts, folder / "texts.parquet")


def profiles_of(table: pl.DataFrame | None, users: pl.Series, *, wanted: bool) -> pl.DataFrame:
    """Return the users table in the order of the codes, nulls where it lacks a user.

    Args:
        table: The users table, where there is one.
        users: ``[U]`` ids in the order of their codes.
        wanted: Whether profiles are read.

    Raises:
        ConfigError: If profiles are read and there is no table.
    """
    ids = pl.DataFrame({"user_id": users})
    if table is not None:
        return ids.join(table, on="user_id", how="left", maintain_order="left")
    if wanted:
        raise ConfigError(
            "there is no users table to take profiles from",
            where="BehaviorDataModule.user_text and BehaviorDataModule.user_fields",
            rule="they name columns of a table with a row per user",
            remedy="give the reader one (users of TableReader or FrameReader), or leave both out",
        )
    return ids
