"""TableFile: a file that the user named, before its role is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from lit_rec.data.tables.source import JSON_LINES, Source
from lit_rec.data.tables.tables import read_source
from lit_rec.errors import ConfigError, some_of
from lit_rec.init.columns import Column

_DELIMITERS = ("\t", ";", "|", ",")
_MOST_COLUMNS = 2000  # larger tables are refused
_FIRST_BYTES = 1 << 16  # a header is shorter


@dataclass(frozen=True)
class TableFile:
    """A table as read.

    Args:
        path: The file as the user wrote it.
        frame: Its rows.
        delimiter: What separates its columns, where its ending does not show it.
    """

    path: str
    frame: pl.DataFrame
    delimiter: str | None = None

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Its columns by name."""
        return {series.name: Column(series.name, series) for series in self.frame}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    @property
    def words(self) -> str:
        """The file's name in lower case: it may describe the content."""
        return Path(self.path).name.lower()

    @property
    def shown(self) -> str:
        """The file and its columns, for errors."""
        return f"{self.path} has {some_of(self.columns)}"


def read_files(paths: Sequence[str]) -> list[TableFile]:
    """Read the tables.

    Args:
        paths: Two files, or three.

    Raises:
        ConfigError: If there are fewer or more files, one is named twice, two need different delimiters, or one has too
            many columns.
        DataError: If one cannot be read.
    """
    if not 2 <= len(paths) <= 3:
        raise ConfigError(
            f"{len(paths)} file{'s' * (len(paths) != 1)}",
            where="lit-rec init",
            rule="behaviors and items, in any order, and a users table if there is one",
            remedy="lit-rec init behaviors.csv items.csv",
        )
    repeated = [p for place, p in enumerate(paths) if Path(p).resolve() in _resolved(paths[:place])]
    if repeated:
        raise ConfigError(
            f"{repeated[0]} is named twice",
            where="lit-rec init",
            rule="each table is a file of its own",
            remedy="name the other table too",
        )
    files = [_read(path) for path in paths]
    delimiters = {_delimiter_of(file): file.path for file in files if _is_text(file.path)}
    if len(delimiters) > 1 and any(file.delimiter for file in files):
        raise ConfigError(
            "columns are separated by "
            + " and by ".join(f"{d!r} in {path}" for d, path in delimiters.items()),
            where="lit-rec init",
            rule="where a file's ending does not show its delimiter, all text files have the same",
            remedy="write one of them again, as .csv with commas or as .tsv with tabs",
        )
    return files


def _resolved(paths: Sequence[str]) -> set[Path]:
    return {Path(path).resolve() for path in paths}


def _read(path: str) -> TableFile:
    plain = Source.table(Path(path), "file")
    plain.check()
    delimiter = None
    if _is_text(path):
        line = next(plain.blocks(_FIRST_BYTES), b"").split(b"\n")[0].decode(errors="replace")
        if plain.delimiter is None or plain.delimiter not in line:
            counts = {d: line.count(d) for d in _DELIMITERS}
            most = max(counts, key=lambda d: counts[d])
            delimiter = most if counts[most] else None
    frame = read_source(Source.table(Path(path), "file", delimiter))
    if frame.width > _MOST_COLUMNS:
        raise ConfigError(
            f"the table has {frame.width:,} columns: {some_of(frame.columns)}",
            where=path,
            rule=f"meanings are guessed for at most {_MOST_COLUMNS:,} columns",
            remedy="leave out columns that no model reads, or write the configuration like configs/own_data.yaml",
        )
    return TableFile(path, frame, delimiter)


def _is_text(path: str) -> bool:
    """Return whether columns are separated by a delimiter; the reader refuses unknown endings later."""
    ending = Source.table(Path(path), "file").ending
    return ending not in (".parquet", *JSON_LINES, ".xlsx", ".xls", ".zip")


def _delimiter_of(file: TableFile) -> str | None:
    return file.delimiter or Source.table(Path(file.path), "file").delimiter


def read_file(path: str) -> TableFile:
    """Read one table.

    Raises:
        ConfigError: If it has too many columns.
        DataError: If it cannot be read.
    """
    return _read(path)
