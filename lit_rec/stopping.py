"""SIGTERM and Ctrl-C: a command ends with a sentence, exit code 143 or 130, and nothing half-written."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_CODES = 128  # where a signal ended a process, a shell's exit code is this plus the signal's number
_WORKER_SECONDS = 60


class Stopped(SystemExit):
    """A signal ends the command; no code has to catch it.

    Args:
        number: The signal.

    Example:
        >>> Stopped(signal.SIGTERM).code, Stopped(signal.SIGINT).name
        (143, 'Ctrl-C')
    """

    def __init__(self, number: int) -> None:
        super().__init__(_CODES + number)
        self.name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


class Stop:
    """The signal that a process has received, and how the user can continue; one for each process.

    Training sets ``waits`` while it can end by itself at the next step.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget earlier signals."""
        self.owner = os.getpid()
        self.asked: int | None = None
        self.waits = False
        self.place = ""
        self.remedy = ""

    def receive(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal.

        Raises:
            Stopped: If training does not wait for the signal, or this is the second one.
        """
        if (
            os.getpid() != self.owner
        ):  # a worker of a DataLoader, which ends when this process says so
            if number == signal.SIGTERM:
                signal.alarm(_WORKER_SECONDS)
            return
        again, self.asked = self.asked is not None, number
        if again or not self.waits:
            raise Stopped(number)
        say(f"{Stopped(number).name}: stopping after this step; again to stop at once")

    def sentence(self, stopped: Stopped) -> str:
        """Return what the command says when it has ended."""
        place = f" {self.place}" if self.place else ""
        return f"stopped by {stopped.name}{place}; {self.remedy or 'nothing was left half-written'}"


stop = Stop()


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Receive signals while a command runs, where this is the main thread, and forget them when it has ended."""
    stop.begin()
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, stop.receive)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.begin()  # or a run that follows in this process would end at its first step


def say(text: str) -> None:
    """Write a line to standard error from a handler or a thread."""
    # a signal may interrupt print while print holds its lock
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\nlit_rec: {text}\n".encode())
