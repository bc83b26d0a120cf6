"""ProcessSetting: a setting of the whole process that several threads need at times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Lock


class ProcessSetting:
    """A setting that the first thread makes on entering, and the last one undoes on leaving.

    If each of two threads set it and restored what it found, the second would find the first one's setting and leave it
    so for good.

    Args:
        make: Returns a context manager: it makes the setting on entering, and undoes it on leaving.

    Example:
        >>> from contextlib import nullcontext
        >>> setting = ProcessSetting(nullcontext)
        >>> with setting.made():
        ...     setting.is_made
        True
        >>> setting.is_made
        False
    """

    def __init__(self, make: Callable[[], AbstractContextManager[None]]) -> None:
        self._make = make
        self._lock = Lock()
        self._undo = ExitStack()
        self._inside = 0

    @property
    def is_made(self) -> bool:
        """Whether a thread has made it."""
        return self._inside > 0

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make the setting for a ``with`` block."""
        with self._lock:
            if not self._inside:
                self._undo.enter_context(self._make())
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._undo.close()
