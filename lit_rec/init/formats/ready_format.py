"""ReadyFormat: files of a format that a reader knows, and how their first lines are seen."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lit_rec.data.readers.reader import Reader
from lit_rec.data.tables.json.values import UnreadableLineError, read_record
from lit_rec.data.tables.source import Source

_FIRST_BYTES = 1 << 16
_LINES = 50


@dataclass(frozen=True)
class ReadyFormat:
    """Files of a known format.

    Args:
        name: Its name, for the user.
        why: What in the files says so.
        reader: Reads it.
        options: The reader's options.
        fields: Name of a text field -> columns of the items, best first; empty: guessed from the items.
        has_parts: Whether the reader gives the parts.
        has_histories: Whether the reader gives the histories.
        texts_alone: Whether it holds texts without users.
        notes: What the user should know besides.
    """

    name: str
    why: str
    reader: type[Reader]
    options: Mapping[str, Any]
    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    has_parts: bool = False
    has_histories: bool = False
    texts_alone: bool = False
    notes: tuple[str, ...] = ()


def first_lines(path: Path) -> list[str]:
    """Return the first lines of a text file, plain or packed; none where there is no such file.

    Raises:
        DataError: If the file is damaged.
    """
    if not path.is_file():
        return []
    block = next(Source.table(path, "file").blocks(_FIRST_BYTES), b"")
    return block.decode(errors="replace").splitlines()[:_LINES]


def header_of(path: Path, delimiter: str) -> list[str]:
    """Return the cells of the first line of a text file."""
    lines = first_lines(path)
    try:
        return next(csv.reader(lines[:1], delimiter=delimiter), [])
    except csv.Error:
        return []


def keys_of(path: Path) -> frozenset[str]:
    """Return the keys of the first objects of a file of JSON lines, or of Python literals as in older archives."""
    keys: set[str] = set()
    for line in first_lines(path)[:-1] or first_lines(path):  # the last one may be cut
        if not line.lstrip().startswith("{"):
            continue
        with suppress(UnreadableLineError):
            keys.update(read_record(line.strip())[0])
    return frozenset(keys)


def file_of(folder: Path, name: str) -> Path | None:
    """Return the file of this name in a folder, plain or ``.gz``; None where there is none."""
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)


def folder_with(
    paths: Sequence[Path], needed: Sequence[str], also: Sequence[str] = ()
) -> Path | None:
    """Return the folder that holds the needed files, where the user named it, or files in it by these names.

    Args:
        paths: What the user named.
        needed: Names of files that the format has.
        also: Names of files that may be named besides.
    """
    folder = paths[0] if paths[0].is_dir() else paths[0].parent
    if paths != [folder]:
        names = [plain_name(path) for path in paths]
        if {path.parent for path in paths} != {folder} or not set(names) <= {*needed, *also}:
            return None
    return folder if all(file_of(folder, name) for name in needed) else None


def plain_name(path: Path) -> str:
    """Return the name of a file without ``.gz``."""
    return path.name.removesuffix(".gz")
