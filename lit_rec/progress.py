"""A progress bar for work that may take long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

from lightning.fabric.utilities.rank_zero import rank_zero_only
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_DELAY = 2.0  # seconds before the bar is shown


@contextmanager
def slow_bar(
    what: str, total: int, *, within: Progress | None = None, shown: bool = True
) -> Iterator[Callable[[int], None]]:
    """Show a bar on the first process while the block runs, if it runs for more than two seconds; then remove it.

    Args:
        what: What is done, such as ``tokenising``.
        total: The number of steps.
        within: A display that is on the screen already: two displays would overwrite each other. None: a new display
            on stderr, where stderr is a terminal.
        shown: False: no bar at all.

    Yields:
        A function to call with the number of steps done so far.
    """
    if not shown or rank_zero_only.rank != 0:  # type: ignore[attr-defined]
        yield lambda done: None
        return
    bar = _Bar(what, total, within)
    timer = Timer(_DELAY, bar.appear)
    timer.daemon = True  # the process can end without waiting for it
    timer.start()
    try:
        yield bar.advance
    finally:
        timer.cancel()
        timer.join()
        bar.vanish()


class _Bar:
    """A task of a display, visible from ``appear`` to ``vanish``."""

    def __init__(self, what: str, total: int, within: Progress | None) -> None:
        self._what, self._total, self._done = what, total, 0
        self._within = within
        self._display = within or _own_display()
        self._task: TaskID | None = None

    def appear(self) -> None:
        """Called by the timer's thread."""
        if self._within is None:
            if not self._display.console.is_terminal:
                return
            self._display.start()
        self._task = self._display.add_task(self._what, total=self._total, completed=self._done)

    def advance(self, done: int) -> None:
        self._done = done
        if self._task is not None:
            self._display.update(self._task, completed=done)
            self._display.refresh()

    def vanish(self) -> None:
        if self._task is None:
            return
        if self._within is None:
            self._display.stop()
        else:
            # Lightning's bars find their tasks by place, so none may be removed
            self._display.update(self._task, visible=False)
            self._display.refresh()


def _own_display() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    # a program may read stdout, for example of `lit-rec recommend --json`
    return Progress(*columns, *times, console=Console(stderr=True), transient=True)
