"""RecBole's atomic files and sequences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lit_rec.data.readers.recbole import RecBoleReader
from lit_rec.data.readers.recbole_sequences import RecBoleSequenceReader
from lit_rec.errors import ConfigError
from lit_rec.init.formats.ready_format import ReadyFormat, file_of, header_of, plain_name
from lit_rec.init.option_words import command

_ENDINGS = (".inter", ".item", ".user", ".text", ".item2index", ".user2index")
_PARTS = ("train", "valid", "test")


def recbole(paths: Sequence[Path]) -> ReadyFormat | None:
    """Recognise a folder of atomic files, or some of its files.

    Raises:
        ConfigError: If a folder has several data sets.
    """
    folder = paths[0] if paths[0].is_dir() else paths[0].parent
    if paths == [folder]:
        files = [each for each in folder.iterdir() if _ending(each) == ".inter"]
    else:
        files = list(paths)
        if {path.parent for path in paths} != {folder} or not all(map(_ending, paths)):
            return None
    names = sorted({_data_set(path) for path in files})
    if len(names) > 1:
        if folder.resolve().name not in names or paths != [folder]:
            raise ConfigError(
                f"{folder} has {len(names)} data sets: {', '.join(names[:5])}",
                where="lit-rec init",
                rule="one data set of RecBole at a time",
                remedy=f"name a file of one: {command([_file_of(folder, names[0], files)])}",
            )
        names = [folder.resolve().name]
    return _of_name(folder, names[0]) if names else None


def _file_of(folder: Path, name: str, named: Sequence[Path]) -> Path:
    """Return the file that holds a data set's interactions; one of those named, where there is none."""
    held = [each for each in sorted(folder.iterdir()) if _data_set(each) == name]
    inter = [each for each in held if _ending(each) == ".inter"]
    return next(iter([*inter, *named]))


def _of_name(folder: Path, name: str) -> ReadyFormat | None:
    options = {"folder": str(folder)} | ({} if folder.resolve().name == name else {"name": name})
    whole = file_of(folder, f"{name}.inter")
    parts = [part for part in _PARTS if file_of(folder, f"{name}.{part}.inter")]
    first = whole or (file_of(folder, f"{name}.{parts[0]}.inter") if parts else None)
    columns = [] if first is None else header_of(first, "\t")
    if first is None or not any(column.startswith("user_id:") for column in columns):
        return None
    is_sequence = any(column.startswith("item_id_list:") for column in columns)
    _check_items(folder, name, is_sequence)
    shown = f"{first.name} has the columns {', '.join(columns[:4])}"
    if not is_sequence:
        # atomic files that RecBole itself divided are no parts of sequences
        return None if whole is None else ReadyFormat("RecBole", shown, RecBoleReader, options)
    if not parts:
        options["parts"] = "none"
    elif "train" not in parts:
        options["parts"] = "lists"
    return ReadyFormat(
        "RecBole sequences", shown, RecBoleSequenceReader, options, has_parts=bool(parts)
    )


def _check_items(folder: Path, name: str, is_sequence: bool) -> None:
    endings = ("text", "item") if is_sequence else ("item",)
    if not any(file_of(folder, f"{name}.{ending}") for ending in endings):
        wanted = " or ".join(f"{name}.{ending}" for ending in endings)
        first = folder / f"{name}.{endings[0]}"
        raise ConfigError(
            f"{folder} has {name}.inter, and there is no file with the items",
            where="lit-rec init",
            rule=f"{wanted}, with item_id:token and texts, in the same folder",
            remedy=f"write {first}: first the line item_id:token title:token_seq, then a line for each item, "
            "with a tab between the two columns",
        )


def _ending(path: Path) -> str:
    return next((ending for ending in _ENDINGS if plain_name(path).endswith(ending)), "")


def _data_set(path: Path) -> str:
    name = plain_name(path).removesuffix(_ending(path))
    part = name.rpartition(".")[2]
    return name.removesuffix(f".{part}") if part in _PARTS and _ending(path) == ".inter" else name
