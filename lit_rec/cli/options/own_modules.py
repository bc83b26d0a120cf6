"""Modules in files of the current folder, so that a YAML can name a class of ``my_parts.py``."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class _FolderFinder(MetaPathFinder):
    """Find modules and packages of a folder, after all that is installed.

    Args:
        folder: The folder.
        names: Only these; None: any.
    """

    def __init__(self, folder: Path, names: Container[str] | None) -> None:
        self._folder, self._names = str(folder), names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module's place; None: it is not a file there."""
        if path is not None or (self._names is not None and fullname not in self._names):
            return None
        found = PathFinder.find_spec(fullname, [self._folder])
        # any folder could be a package without a file, such as wandb/ with logs
        return None if found is None or found.loader is None or not found.has_location else found


@contextmanager
def modules_of_folder(command: str, words: Sequence[str]) -> Iterator[None]:
    """Let Python find modules in the current folder while a command runs.

    ``fit``, ``check``, ``tune`` and ``prune-encoder`` read a YAML of the user's own, which may name any class, and find
    all modules there. Other commands read a checkpoint, which may be a stranger's. They find only modules that
    ``--trust`` names.

    Args:
        command: The command.
        words: The words after it.
    """
    names = None if command in ("fit", "check", "tune", "prune-encoder") else _trusted(words)
    finder = _FolderFinder(Path.cwd(), names)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _trusted(words: Sequence[str]) -> set[str]:
    """Return the first parts of the names after ``--trust``."""
    found = set()
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option == "--trust":
            name = value if equals else "".join(words[place + 1 : place + 2])
            found |= {part.strip().partition(".")[0] for part in name.split(",")}
    return found - {""}
