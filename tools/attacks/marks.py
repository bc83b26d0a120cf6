"""Marks that show that code ran, or that files were written, where it is not allowed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from attacks.watch import CANARY

_SOURCE = """\
from pathlib import Path

Path({mark!r}).touch()


def call(*args, **options):
    Path({mark!r} + "-called").touch()


class Canary:
    def __init__(self, *args, **options):
        call()
"""

Snapshot = dict[str, tuple[int, int, int]]


def canary(folder: Path, outside: Path) -> Callable[[], None]:
    """Write a module that leaves a mark when it is imported, and return a function that lets a process find it.

    Args:
        folder: Where the module lies.
        outside: Where the mark would lie.
    """
    (folder / f"{CANARY}.py").write_text(_SOURCE.format(mark=str(outside / "canary")))
    return lambda: sys.path.insert(0, str(folder))


def snapshot(*folders: Path) -> Snapshot:
    """Return kind, size and time of everything in the folders."""
    found: Snapshot = {}
    for folder in folders:
        for root, dirs, files in os.walk(folder):
            for name in (*dirs, *files):
                path = os.path.join(root, name)
                status = os.lstat(path)
                is_folder = name in dirs
                found[path] = (
                    status.st_mode,
                    0 if is_folder else status.st_size,
                    0 if is_folder else status.st_mtime_ns,
                )
    return found


def changed(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """Yield what was made, changed or removed."""
    for path in sorted({*before, *after}):
        if path not in before:
            yield f"{path} was made"
        elif path not in after:
            yield f"{path} was removed"
        elif before[path] != after[path]:
            yield f"{path} was changed"
