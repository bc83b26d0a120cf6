"""TableFile: a file that the user named, before its role is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from lit_rec.data.tables.cells import CellRules, has_decimal_commas
from lit_rec.data.tables.delimited import RepeatedNameError, cells_of
from lit_rec.data.tables.headers import lacks_header, no_header
from lit_rec.data.tables.problems import Dropping, InvalidRows
from lit_rec.data.tables.source import JSON_LINES, Source
from lit_rec.data.tables.tables import read_valid
from lit_rec.errors import ConfigError, some_of
from lit_rec.init.column_names import STRONG, name_score
from lit_rec.init.columns import Column
from lit_rec.init.option_words import command, option

_DELIMITERS = ("\t", ";", "|", ",")
_MOST_COLUMNS = 2000  # larger tables are refused
_FIRST_BYTES = 1 << 16  # a header is shorter


# words in the names of files
FILE_WORDS = {
    "behaviors": (
        "behav rating inter event click review order purchase transaction view log play watch history train bewertung "
        "kauf achat vente pedido compra"
    ),
    "items": "item product movie film book article news catalog katalog meta song track game artikel produkt produit",
    "users": "user customer client member account reader kunde nutzer",
}
_ROLE_WORDS = ("user_id", "item_id", "rating", "label", "event", "timestamp", "title")


@dataclass(frozen=True)
class Reading:
    """How the user says that tables are read.

    Args:
        missing: Further texts that stand for a missing value.
        decimal: What separates the fraction of a number; None: as the columns show.
        invalid_rows: What happens to rows with an invalid value.
        names: ``behaviors``, ``items`` or ``users`` -> the names of the columns of this file without a header.
        behaviors: The file that holds the behaviors, where it is known.
        has_header: Whether the first line is a header even if it looks like a row.
    """

    missing: Sequence[str] = ()
    decimal: str | None = None
    invalid_rows: InvalidRows = "error"
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    behaviors: str | None = None
    has_header: bool = False


@dataclass(frozen=True)
class TableFile:
    """A table as read.

    Args:
        path: The file as the user wrote it.
        frame: Its rows.
        delimiter: What separates its columns, where its ending does not show it.
        rules: How its cells are read.
        names: Names of its columns, where it has no header.
        invalid_rows: What happens to rows with an invalid value.
        first: Its first line, where it is a row like the others and cannot name columns.
    """

    path: str
    frame: pl.DataFrame
    delimiter: str | None = None
    rules: CellRules = field(default_factory=CellRules)
    names: tuple[str, ...] = ()
    invalid_rows: InvalidRows = "error"
    first: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Its columns by name, as ``TableReader`` reads them."""
        read, ids = self.rules.read, self.rules.read_ids
        return {one.name: Column(one.name, read(one), ids(one)) for one in self.frame}

    @property
    def options(self) -> dict[str, Any]:
        """Options of ``TableReader`` that are the same for all files, where they are not its defaults."""
        options: dict[str, Any] = {}
        if self.rules.decimal != ".":
            options["decimal"] = self.rules.decimal
        if self.rules.missing:
            options["missing_values"] = list(self.rules.missing)
        if self.invalid_rows != "error":
            options["invalid_rows"] = self.invalid_rows
        return options

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


def read_files(paths: Sequence[str], reading: Reading | None = None) -> list[TableFile]:
    """Read the tables.

    Args:
        paths: Two files, or three.
        reading: What the user says of them.

    Raises:
        ConfigError: If there are fewer or more files, one is named twice, two need different delimiters, or one has too
            many columns.
        DataError: If one cannot be read, or has no header and no names are given.
    """
    reading = reading or Reading()
    if not 2 <= len(paths) <= 3:
        raise ConfigError(
            f"{len(paths)} file{'s' * (len(paths) != 1)}",
            where="lit-rec init",
            rule="behaviors and items, in any order, and a users table if there is one",
            remedy=f"name those that belong together: {command(paths[:2])}"
            if len(paths) > 1
            else _other_of(Path(*paths)),
        )
    repeated = [p for place, p in enumerate(paths) if Path(p).resolve() in _resolved(paths[:place])]
    if repeated:
        raise ConfigError(
            f"{repeated[0]} is named twice",
            where="lit-rec init",
            rule="each table is a file of its own",
            remedy="name the other table too",
        )
    files = _named([_read(path, reading.invalid_rows) for path in paths], reading)
    delimiters = {_delimiter_of(file): file.path for file in files if _is_text(file.path)}
    if len(delimiters) > 1 and any(file.delimiter for file in files):
        raise ConfigError(
            "columns are separated by "
            + " and by ".join(f"{d!r} in {path}" for d, path in delimiters.items()),
            where="lit-rec init",
            rule="where a file's ending does not show its delimiter, all text files have the same",
            remedy="write one of them again, as .csv with commas or as .tsv with tabs",
        )
    commas = reading.decimal is None and any(
        has_decimal_commas(column) and column.str.contains(r",\d{1,2}\s*$").any()
        for file in files
        for column in file.frame
    )
    decimal: Literal[".", ","] = "," if commas or reading.decimal == "," else "."
    rules = CellRules(tuple(reading.missing), decimal)
    return [replace(file, rules=rules, invalid_rows=reading.invalid_rows) for file in files]


def _other_of(path: Path) -> str:
    """Return how the other table is named: one beside this table, if there is any."""
    beside = [p for p in tables_in(path.parent) if path.is_file() and not p.samefile(path)]
    if not beside:
        return (
            "name the other table too; of items, it has a row for each, with its id and its texts"
        )
    return f"name the other table too: {command([path, likely(beside)])}"


def tables_in(folder: Path) -> list[Path]:
    """Return the tables of a folder, by their endings."""
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    endings = (".csv", ".tsv", ".parquet", *JSON_LINES)
    return [each for each in found if each.is_file() and Source.table(each, "").ending in endings]


def likely(
    tables: Sequence[Path], words: str = f"{FILE_WORDS['items']} {FILE_WORDS['behaviors']}"
) -> Path:
    """Return the first table with one of these words in its name, else the first."""
    named = (each for each in tables if any(word in each.name.lower() for word in words.split()))
    return next(named, tables[0])


def _resolved(paths: Sequence[str]) -> set[Path]:
    return {Path(path).resolve() for path in paths}


def _named(files: list[TableFile], reading: Reading) -> list[TableFile]:
    """Return the files, those without a header read again with the names of their columns.

    Raises:
        ConfigError: If names are given, and it is not clear for which file.
        DataError: If a file has no header, and no names are given.
    """
    without = [] if reading.has_header else [f for f in files if _lacks_header(f)]
    files = list(files)
    for role, names in reading.names.items():
        fitting = [f for f in without if not f.names] or [f for f in files if _is_text(f.path)]
        fitting = [f for f in fitting if f.frame.width == len(names)] or fitting
        if reading.behaviors is not None:
            of_role = role == "behaviors"
            among = files if of_role else fitting
            fitting = [f for f in among if (f.path == reading.behaviors) == of_role] or fitting
        if len(fitting) != 1:
            raise _unclear_names(f"--{_names_option(role)}", names, files, fitting, reading)
        place = files.index(fitting[0])
        files[place] = _read(
            fitting[0].path, reading.invalid_rows, tuple(names), f"--{_names_option(role)}"
        )
        without = [file for file in without if file is not fitting[0]]
    if without:
        file = without[0]
        others = max(len(other) for other in files if other is not file)
        keyed = any(c.is_key_like for c in file.columns.values()) and len(file) <= others
        role = "items" if keyed and file.path != reading.behaviors else "behaviors"
        if role in reading.names:  # of another file
            role = "users"
        source = Source.table(Path(file.path), "file", file.delimiter)
        names_option = f"--{_names_option(role)}"
        raise no_header(
            file.first or file.frame.columns,
            source,
            names_option,
            "; if it is a header, add --header",
        )
    return files


def _unclear_names(
    where: str,
    names: Sequence[str],
    files: Sequence[TableFile],
    fitting: Sequence[TableFile],
    reading: Reading,
) -> ConfigError:
    ways = (
        ["write the names as the first line of their file"] if fitting else [f"leave {where} out"]
    )
    if len(fitting) > 1 and reading.behaviors is None:
        longest = max(fitting, key=len)
        ways.insert(0, f"say which file holds the behaviors: {option('--behaviors', longest.path)}")
    return ConfigError(
        f"it is not clear which file has these {len(names)} columns",
        where=where,
        details=[file.shown for file in files],
        rule="one text file has no header, or as many columns as there are names",
        remedy="; or ".join(ways),
    )


def _names_option(role: str) -> str:
    return f"{role[:-1]}_names"


def _lacks_header(file: TableFile) -> bool:
    """Return whether the first line looks like a row, and has no name of a role that is not also a value."""
    if file.first:
        return True
    if not _is_text(file.path) or not lacks_header(file.frame):
        return False
    named = [
        name
        for name in file.frame.columns
        if any(name_score(name, role) == STRONG for role in _ROLE_WORDS)
    ]
    return all((file.frame[name] == name).any() for name in named)


def _read(
    path: str, invalid_rows: InvalidRows, names: tuple[str, ...] = (), said: str = "file"
) -> TableFile:
    plain = Source.table(Path(path), "file")
    plain.check()
    delimiter = None
    if _is_text(path):
        line = next(plain.blocks(_FIRST_BYTES), b"").split(b"\n")[0].decode(errors="replace")
        if plain.delimiter is None or plain.delimiter not in line:
            counts = {d: line.count(d) for d in _DELIMITERS}
            most = max(counts, key=lambda d: counts[d])
            delimiter = most if counts[most] else None
    dropping = Dropping(invalid_rows, "TableReader.invalid_rows")
    first: tuple[str, ...] = ()
    try:
        source = Source.table(Path(path), said, delimiter, names)
        frame, _ = read_valid(source, dropping, needed=())
    except RepeatedNameError:
        frame, first = _as_rows(Source.table(Path(path), said, delimiter), dropping)
        if not lacks_header(frame, first):
            raise
    if frame.width > _MOST_COLUMNS:
        raise ConfigError(
            f"the table has {frame.width:,} columns: {some_of(frame.columns)}",
            where=path,
            rule=f"meanings are guessed for at most {_MOST_COLUMNS:,} columns",
            remedy="leave out columns that no model reads, or write the configuration like configs/own_data.yaml",
        )
    return TableFile(path, frame, delimiter, names=names, first=first)


def _as_rows(source: Source, dropping: Dropping) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return a table below its first line, and this line, which names two columns equally."""
    delimiter = source.delimiter or ","
    line = next(source.blocks(_FIRST_BYTES), b"").split(b"\n")[0].decode(errors="replace")
    count = len(cells_of(line, delimiter, quotes=delimiter != "\t"))
    names = tuple(f"column_{place}" for place in range(1, count + 1))
    source = replace(source, has_header=False, names=names)
    frame, _ = read_valid(source, dropping, needed=())
    return frame[1:], tuple(cell or "" for cell in frame.row(0))


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
    return _read(path, "error")
