"""Our own Parquet files, by handle: in a path, Polars would interpret ``*``, brackets, ``~`` and ``name=value``."""

from __future__ import annotations

from pathlib import Path

import polars as pl


def read_parquet(path: Path) -> pl.DataFrame:
    """Read one file."""
    with path.open("rb") as file:
        return pl.read_parquet(file)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write one file."""
    with path.open("wb") as file:
        frame.write_parquet(file)
