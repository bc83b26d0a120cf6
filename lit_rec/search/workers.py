"""Worker: the mark of a process that takes part in a search, by which others see whether it is still there."""

from __future__ import annotations

import secrets
import socket
import time
from pathlib import Path

from lit_rec.files.lock import FileLock, if_abandoned

_PREFIX = ".lit_rec-worker-"
_BEAT = 10.0  # seconds
_SILENCE = 300.0  # seconds after which a process of another machine is taken for dead


class Worker:
    """A locked file of this process. Its system unlocks it when the process ends, killed or not.

    A lock of another machine may not be seen. So the file is also touched every ten seconds, and a process of another
    machine that has not done so for five minutes is taken for dead.

    Args:
        folder: The folder of the search.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     first, second = Worker(Path(folder)), Worker(Path(folder))
        ...     before = second.sees(first.name, first.host)
        ...     first.end()
        ...     print(before, second.sees(first.name, first.host))
        ...     second.end()
        True False
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = socket.gethostname()
        of_host = f"{_PREFIX}{self.host}-"
        for path in folder.glob(f"{of_host}*"):
            self.sees(path.name, self.host)  # removes those that killed processes left
        self.name = f"{of_host}{secrets.token_hex(8)}"
        self._path = folder / self.name
        self._lock = FileLock(self._path)
        self._lock.acquire(0)
        self._touched = time.monotonic()

    def beat(self) -> None:
        """Say that this process is there; does so every ten seconds, however often it is called."""
        if time.monotonic() - self._touched > _BEAT:
            self._touch()

    def _touch(self) -> None:
        self._path.touch()
        self._touched = time.monotonic()

    def sees(self, name: str, host: str) -> bool:
        """Return whether another process is there.

        Args:
            name: Name of its file.
            host: Its machine.
        """
        path = self._folder / name
        if not path.is_file():
            return False
        if host == self.host:
            with if_abandoned(path) as abandoned:
                if abandoned:
                    path.unlink(missing_ok=True)
                return not abandoned
        self._touch()  # both times are of the disk's clock
        return self._path.stat().st_mtime - path.stat().st_mtime < _SILENCE

    def end(self) -> None:
        """Remove the mark."""
        self._lock.release()
