"""MIND: folders with behaviors.tsv and news.tsv."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lit_rec.data.readers.mind import MindReader
from lit_rec.init.formats.parts import parts_of
from lit_rec.init.formats.ready_format import ReadyFormat, file_of, first_lines, folder_with

_FILES = ("behaviors.tsv", "news.tsv")
_ALSO = ("entity_embedding.vec", "relation_embedding.vec")
_BEHAVIOR = re.compile(r"[^\t]*\t[^\t]+\t\d+/\d+/\d{4} \d+:\d+:\d+ [AP]M\t[^\t]*\t[^\t]+")


def mind(paths: Sequence[Path]) -> ReadyFormat | None:
    """Recognise folders of parts, a folder that holds them, or the two files of one."""
    folders = _folders(paths)
    if not folders or not all(_is_mind(folder) for folder in folders):
        return None
    parts = {"train": folders[0]} if len(folders) == 1 else parts_of(folders)
    if parts is None or "train" not in parts:
        return None
    # the small archive has no test folder: papers report on its dev folder
    if "validation" in parts and "test" not in parts:
        parts["test"] = parts.pop("validation")
    return ReadyFormat(
        name="MIND",
        why=f"{' and '.join(map(str, folders))} {'has' if len(folders) == 1 else 'have'} behaviors.tsv "
        "with news that were shown, such as N1-1 N2-0, and news.tsv",
        reader=MindReader,
        options={part: str(folder) for part, folder in parts.items()},
        fields={"title": ["title"], "category": ["category"], "subcategory": ["subcategory"]},
        has_parts=len(parts) > 1,
        has_histories=True,
        notes=("Not read as text, since it is long: `abstract` (data.text.columns).",),
    )


def _folders(paths: Sequence[Path]) -> list[Path]:
    if len(paths) > 1 and all(path.is_dir() for path in paths):
        return list(paths)
    folder = folder_with(paths, _FILES, _ALSO)
    if folder is not None:
        return [folder]
    if len(paths) == 1 and paths[0].is_dir():
        return sorted(
            each for each in paths[0].iterdir() if each.is_dir() and file_of(each, _FILES[0])
        )
    of_files = {path.parent for path in paths if path.name in _FILES}
    named = len(paths) == 2 * len(of_files) and all(path.name in _FILES for path in paths)
    return sorted(of_files) if named else []


def _is_mind(folder: Path) -> bool:
    behaviors, news = (file_of(folder, name) for name in _FILES)
    if behaviors is None or news is None:
        return False
    lines = first_lines(behaviors)
    return bool(lines and _BEHAVIOR.fullmatch(lines[0]))
