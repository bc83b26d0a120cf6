"""Parquet files of our own, by handle: Polars would read stars, brackets, ``~`` and ``name=value`` out of a path."""

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
