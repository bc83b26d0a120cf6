"""What a command is at: lines, a progress bar for work that may take long, and Lightning's messages."""

from __future__ import annotations

import logging
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Timer
from typing import Any

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

_WIDTH = 80  # columns of a screen
_DELAY = 2.0  # seconds before the bar is shown
# what says nothing about the data, the model or the user's options
_NOISE = (
    *("Tip:", "TPU available", "Loading `train_dataloader`", "was configured so"),
    *("`Trainer.fit` stopped", "Restoring states from", "Restored all states"),
    *("Loaded model weights", "Trainer already configured with model summary"),
)


def say(line: str) -> None:
    """Print a line to standard output at once, on the first process; a bar on the screen makes room for it.

    Example:
        >>> say("item_knn  12 s")
        item_knn  12 s
    """
    if _is_first_process():
        print(line, flush=True)  # noqa: T201


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
    if not shown or not _is_first_process():
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


def _is_first_process() -> bool:
    """Return whether Lightning runs this as the first process; without Lightning there is one."""
    lightning = sys.modules.get("lightning.fabric.utilities.rank_zero")  # takes long to import
    return lightning is None or lightning.rank_zero_only.rank == 0


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


def quieten_lightning() -> None:
    """Hide messages that are not about this run, and write the others above a bar that is on the screen."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        handlers = logging.getLogger(name).handlers
        for place, handler in enumerate(handlers):
            if type(handler) is logging.StreamHandler:
                handlers[place] = _PresentStderr()
            handlers[place].addFilter(is_about_this_run)


def is_about_this_run(record: logging.LogRecord) -> bool:
    """Return whether a message is shown.

    Example:
        >>> is_about_this_run(logging.makeLogRecord({"msg": "Tip: install something"}))
        False
    """
    message = record.getMessage()
    return not any(part in message for part in _NOISE)


class _PresentStderr(logging.StreamHandler[Any]):
    """Write to what ``sys.stderr`` is now: a bar replaces it while it is on the screen."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr


def epoch_line(place: str, figures: Mapping[str, str], left: str) -> str:
    """Return the line of an epoch; what does not fit into 80 columns is left out, from the end.

    Example:
        >>> epoch_line("3/20", {"loss": "0.9123", "val/rmse": "0.9251", "rate": "2.0e-05"}, "0:12:30")
        'epoch 3/20  loss 0.9123  val/rmse 0.9251  rate 2.0e-05  left 0:12:30'
    """
    line = f"epoch {place}"
    for name, value in [*figures.items(), ("left", left)]:
        if len(line) + len(f"  {name} {value}") <= _WIDTH:
            line += f"  {name} {value}"
    return line


def metric_lines(metrics: Mapping[str, Any], first: str | None) -> list[str]:
    """Return a line for each metric, the loss and the deciding one first.

    Example:
        >>> metric_lines({"val/auc": 0.71304999, "val/accuracy": 0.66, "val/loss": 1.5}, "val/auc")
        ['val/loss      1.5000', 'val/auc       0.7130', 'val/accuracy  0.6600']
    """
    names = sorted(
        metrics, key=lambda name: (not name.endswith("/loss"), name != first, _natural(name))
    )
    width = max(map(len, names), default=0)
    return [f"{name:<{width}}  {short(metrics[name])}" for name in names]


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key that sorts ``recall@5`` before ``recall@10``."""
    return [(word, int(number or 0)) for word, number in re.findall(r"(\D+)(\d*)", name)]


def short(value: Any) -> str:
    """Return a figure with four decimals, or with five digits if it is large.

    Example:
        >>> short(0.92371899), short(15634.27)
        ('0.9237', '15634')
    """
    number = float(value)
    return f"{number:.4f}" if abs(number) < 1000 else f"{number:.5g}"


def clock(seconds: float) -> str:
    """Return hours, minutes and seconds.

    Example:
        >>> clock(3725.2), clock(math.inf)
        ('1:02:05', '?')
    """
    if math.isinf(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
