"""FileLock: a lock that ends with the process that holds it, and leaves no file."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except (
    ImportError
):  # not on Windows: nothing is locked there, and nothing removed that a lock would protect
    fcntl = None  # type: ignore[assignment]

_PAUSE = 0.05  # seconds between two attempts


class FileLock:
    """A file that one process holds at a time.

    The system releases the lock when its process ends, killed or not, also for other machines on a shared disk. (A
    process number in a file could not do this.) ``release`` removes the file before it unlocks. A waiting process sees
    that the file is gone and tries again. So no lock file is left, and no two processes hold locks of one name.

    Args:
        path: The lock file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     first, second = (FileLock(Path(folder, "a.lock")) for _ in range(2))
        ...     print(first.acquire(0), second.acquire(0), first.release(), second.acquire(0), second.release())
        ...     print(list(Path(folder).iterdir()))
        True False None True None
        []
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self.is_sure = False  # whether it really excludes others: some disks have no locks

    def acquire(self, patience: float | None = None) -> bool:
        """Take the lock, and wait for it where another holds it.

        Args:
            patience: Seconds to wait; None: without end.

        Returns:
            False if another process held it all the time.

        Raises:
            OSError: If the file cannot be made.
        """
        end = None if patience is None else time.monotonic() + patience
        while not self._attempt():
            if end is not None and time.monotonic() >= end:
                return False
            time.sleep(_PAUSE)
        return True

    def _attempt(self) -> bool:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
        locked = lock_handle(handle, wait=False)
        if locked is False or is_removed(handle):
            os.close(handle)
            return False
        self._handle, self.is_sure = handle, locked is True
        return True

    def release(self) -> None:
        """Remove the file and unlock; does nothing where no lock is held."""
        if self._handle is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._handle)
            self._handle = None


def lock_handle(handle: int, *, wait: bool) -> bool | None:
    """Lock an open file.

    Returns:
        False if another holds it; None where the disk or the system has no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_removed(handle: int) -> bool:
    """Return whether an open file has been deleted."""
    return os.fstat(handle).st_nlink == 0


@contextmanager
def if_abandoned(path: Path) -> Iterator[bool]:
    """Lock a file that another process made, and yield whether that process has ended: nobody held it."""
    handle = None
    try:
        with suppress(OSError):
            handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        yield handle is not None and lock_handle(handle, wait=False) is True
    finally:
        if handle is not None:
            os.close(handle)
