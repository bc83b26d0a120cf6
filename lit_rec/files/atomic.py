"""Write a file whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lit_rec.errors import ConfigError, LitRecError, causes
from lit_rec.files.lock import if_abandoned, is_removed, lock_handle

_UNFINISHED = re.compile(r"\.lit_rec-[0-9a-f]{16}\.part")
# full, above a quota or the size a process may write, read-only
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_IN_TEXT = re.compile(r"\(os error (\d+)\)")
_NUMPY = re.compile(r"\d+ requested and \d+ written")


def replace_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Have ``write`` fill a new file next to ``path``, then put it in place; an old file stays until then.

    Unfinished files of killed processes are removed from the folder. A file that a running process writes is locked,
    and stays. After a power cut the file may be the old one: the new one is not flushed to disk first.

    Raises:
        ConfigError: If the folder cannot be written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(path.parent)
        with _new_file(path.parent) as work:
            write(work)
            work.replace(path)
    except LitRecError:
        raise
    except Exception as error:
        reason = disk_reason(error)
        if reason is None and not isinstance(error, OSError):
            raise
        if path.is_dir():
            raise ConfigError(
                "this is a folder",
                where=str(path),
                rule="the name of a file",
                remedy=f"name a file in it, such as {path / 'NAME'}",
            ) from error
        said = getattr(error, "strerror", None) or str(error)
        raise unwritable(path, reason or said) from error


@contextmanager
def _new_file(folder: Path) -> Iterator[Path]:
    """Make a file that is locked until it is renamed or removed."""
    while True:
        path = folder / f".lit_rec-{secrets.token_hex(8)}.part"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        lock_handle(handle, wait=True)
        if not is_removed(handle):  # by a process that found it before it was locked
            break
        os.close(handle)
    try:
        yield path
    finally:
        with suppress(OSError):  # it has the other name
            path.unlink()
        os.close(handle)


def remove_unfinished(folder: Path) -> None:
    """Remove the files that ``replace_file`` of killed processes left in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _UNFINISHED.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with if_abandoned(Path(entry.path)) as abandoned, suppress(OSError):
                    if abandoned:
                        os.unlink(entry.path)


def disk_reason(error: BaseException | None) -> str | None:
    """Return the system's reason where an error means that the disk takes no more data; else None.

    Errors of libraries that wrap such an error count, too.

    Example:
        >>> disk_reason(OSError(errno.ENOSPC, "No space left on device"))
        'No space left on device'
        >>> disk_reason(ValueError("underlying IO error: File too large (os error 27)"))
        'File too large'
        >>> disk_reason(ValueError("no number")) is None
        True
    """
    for one in causes(error):
        if isinstance(one, OSError) and one.errno in NO_ROOM:
            return os.strerror(one.errno)
        # Polars and NumPy leave the number out, or write it into the text
        found = None if isinstance(one, LitRecError) else _IN_TEXT.search(str(one))
        if found is not None and int(found[1]) in NO_ROOM:
            return os.strerror(int(found[1]))
        if isinstance(one, OSError) and _NUMPY.search(str(one)):
            return os.strerror(errno.ENOSPC)
    return None


def unwritable(path: Path, reason: str) -> ConfigError:
    """Return the error of a file that cannot be written."""
    return ConfigError(
        f"cannot be written ({reason})",
        where=str(path),
        rule="a folder with room that this user can write",
        remedy="make room, change the permissions of the folder, or choose another folder",
    )
