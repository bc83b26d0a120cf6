"""ProcessSetting: a setting of the whole process that several threads need for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Lock


class ProcessSetting:
    """Made by the first thread that comes, and undone by the last one that leaves.

    Two threads that each set it and set it back would do so in turns: the second would find what the first has set, and
    leave it so for good.

    Args:
        make: Returns what makes the setting when it is entered, and undoes it when it is left.

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
        """Have the setting made for a while."""
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
