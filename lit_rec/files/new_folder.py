"""Write a folder completely or not at all, at a path that the user named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lit_rec.errors import ConfigError, LitRecError
from lit_rec.files.atomic import disk_reason, unwritable
from lit_rec.files.lock import FileLock

_PATIENCE = 10.0  # seconds to wait for another process that writes the same folder


def write_folder(
    path: Path,
    write: Callable[[Path], Any],
    *,
    option: str,
    may_replace: Callable[[Path], None],
) -> Path:
    """Have ``write`` fill a new folder next to ``path``, then put it in place.

    An existing folder stays until the new one is complete. The next call repairs what a killed process left.

    Args:
        path: The folder.
        write: Fills an empty folder.
        option: How the user gave the path, for errors.
        may_replace: Called with an existing folder that is not empty; raises where it has to stay.

    Returns:
        The folder's absolute path, links followed.

    Raises:
        ConfigError: If the path is a file, another process writes the folder, or the disk cannot be written; and
            whatever ``may_replace`` raises.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> options = {"option": "--output", "may_replace": lambda folder: None}
        >>> with TemporaryDirectory() as folder:
        ...     made = write_folder(Path(folder, "a"), lambda new: Path(new, "b").write_text("c"), **options)
        ...     print((made / "b").read_text(), os.listdir(folder))
        c ['a']
    """
    path = path.resolve()  # a link still leads to the folder afterwards
    lock = FileLock(_beside(path, "lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not lock.acquire(_PATIENCE):
            raise ConfigError(
                "another process is writing it",
                where=f"{option} {path}",
                rule="one process writes a folder at a time",
                remedy="wait for it, or name another folder",
            )
        work, old = _beside(path, "part"), _beside(path, "old")
        if old.exists() and not path.exists():
            old.rename(path)  # of a process that was killed between two renames
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
        if path.is_dir() and os.listdir(path):
            may_replace(path)
        elif path.exists() and not path.is_dir():
            raise ConfigError(
                "this is a file",
                where=f"{option} {path}",
                rule="a folder that is absent or empty",
                remedy="name another folder",
            )
        work.mkdir()
        try:
            write(work)
            _put(work, path, old)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except LitRecError:
        raise
    except Exception as error:
        reason = disk_reason(error)
        if reason is None and not isinstance(error, OSError):
            raise
        said = getattr(error, "strerror", None) or str(error)
        raise unwritable(path, reason or said) from error
    finally:
        lock.release()
    return path


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.name}.lit_rec.{kind}")


def _put(work: Path, path: Path, old: Path) -> None:
    if not path.exists():
        work.rename(path)
        return
    path.rename(old)
    try:
        work.rename(path)
    except OSError:
        with suppress(OSError):
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)
