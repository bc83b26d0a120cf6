"""Recognise the format of files by their names and first lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lit_rec.errors import ConfigError, some_of
from lit_rec.init.formats.amazon import amazon
from lit_rec.init.formats.labelled_texts import labelled_texts
from lit_rec.init.formats.mind import mind
from lit_rec.init.formats.movielens import movielens
from lit_rec.init.formats.ready_format import ReadyFormat
from lit_rec.init.formats.recbole import recbole
from lit_rec.init.option_words import command
from lit_rec.init.table_files import FILE_WORDS, likely, tables_in

_ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar", ".7z", ".rar")


def recognised(
    names: Sequence[str],
    columns: Mapping[str, str] | None = None,
    text_columns: Sequence[str] | None = None,
) -> ReadyFormat | None:
    """Return the format of some files; None where they are plain tables.

    Args:
        names: Files or folders as the user named them.
        columns: Canonical name -> column, where the user gave it: then they are plain tables, or labelled texts.
        text_columns: The columns of texts, where the user gave them.

    Raises:
        ConfigError: If a part of a format is absent, or a folder or an archive holds no format that is known.
        DataError: If a file is damaged.

    Example:
        >>> recognised(["behaviors.csv", "items.csv"])  # files that are not there
    """
    paths = [Path(name) for name in names]
    _check_unpacked(paths)
    if not all(path.exists() for path in paths) or len({path.resolve() for path in paths}) < len(
        paths
    ):
        return None
    named = dict(columns or {})
    found = None
    if not named:
        found = amazon(paths) or movielens(paths) or mind(paths) or recbole(paths)
    if found is None and named.keys() <= {"rating"}:
        found = labelled_texts(paths, named.get("rating"), text_columns)
    if found is None:
        _check_files(paths)
    return found


def _check_unpacked(paths: Sequence[Path]) -> None:
    for path in paths:
        ending = next((one for one in _ARCHIVES if path.name.lower().endswith(one)), "")
        if ending and path.is_file():
            unpacked = path.with_name(path.name[: -len(ending)])
            held = [unpacked if each == path else each for each in paths]
            raise ConfigError(
                f"'{path}' is a packed archive",
                where="lit-rec init",
                rule="files, or the folder of an unpacked archive",
                remedy=f"unpack it, and name the folder or the files of it: {command(held)}",
            )


def _check_files(paths: Sequence[Path]) -> None:
    for path in paths:
        if path.is_dir():
            held = sorted(path.iterdir())
            raise ConfigError(
                f"the folder '{path}' holds no format that is known; "
                + (f"it has {some_of(each.name for each in held)}" if held else "it is empty"),
                where="lit-rec init",
                rule="MovieLens, MIND or RecBole as they are unpacked; other tables by their files",
                remedy=_in_place_of(path, held),
            )


def _in_place_of(folder: Path, held: Sequence[Path]) -> str:
    """Return what to name in place of a folder: its tables, or the only folder in it."""
    tables, folders = tables_in(folder), [each for each in held if each.is_dir()]
    if 2 <= len(tables) <= 3:
        return f"name its tables: {command(tables)}"
    if tables:
        behaviors = likely(tables, FILE_WORDS["behaviors"])
        others = [each for each in tables if each != behaviors]
        if not others:
            return f"name {behaviors}, and the other table"
        both = [behaviors, likely(others, FILE_WORDS["items"])]
        return f"name those with behaviors and items, such as: {command(both)}"
    if len(folders) == 1:
        return f"name the folder in it: {command(folders)}"
    return "name the folder or the files that hold the tables"
