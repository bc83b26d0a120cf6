"""A process for one trial: it ends with its memory, and what goes wrong in it is the trial's alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lit_rec.search.reports import Value

# imported once, in the process that those of the trials are copies of
_IMPORTED = ["lit_rec.cli.search.trial", "torch.utils.tensorboard"]
_POLL = 0.5  # seconds
_PATIENCE = 10.0
LOG = "log.txt"
# a copy of a process that has imported all; where the system has none, an interpreter of its own
METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def run_process(
    target: Callable[..., None],
    folder: Path,
    words: Sequence[str],
    on_validation: Callable[[Value], bool],
    beat: Callable[[], None],
) -> str | None:
    """Run a trial in a process of its own; return None, or why it failed.

    Args:
        target: Runs the trial. Called with a connection, the trial's folder, the words, and the surroundings that it
            shall have: working folder and environment.
        folder: Folder of the trial; what it prints goes to ``log.txt`` there.
        words: The words of ``lit-rec``.
        on_validation: Gets each validation; returns whether the trial shall end.
        beat: Called at least once a second.

    Raises:
        Stopped: If a signal ends this process; the trial's is ended first.
    """
    context: Any = multiprocessing.get_context(METHOD)
    if METHOD == "forkserver":
        _start_server(context)
    folder.mkdir(parents=True, exist_ok=True)
    ours, its = context.Pipe()
    surroundings = (os.getcwd(), dict(os.environ), list(sys.path))
    process = context.Process(target=target, args=(its, str(folder), [*words], surroundings))
    process.start()
    its.close()
    try:
        reason = _listen(ours, on_validation, beat)
        process.join(_PATIENCE)
        return _reason_of_exit(process.exitcode) if reason is _LOST else reason
    finally:
        _end(process)
        ours.close()


def _start_server(context: Any) -> None:
    """Start the process that those of trials are copies of; Ctrl-C reaches it, too, and does not end it."""
    context.set_forkserver_preload(_IMPORTED)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is started inherits this
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)


_LOST = "lost"


def _listen(
    ours: Connection, on_validation: Callable[[Value], bool], beat: Callable[[], None]
) -> str | None:
    """Answer the trial until it has ended; return None, why it failed, or that it ended without a word."""
    kind: str
    content: Any
    while True:
        beat()
        try:
            kind, content = ours.recv() if ours.poll(_POLL) else ("", None)
        except (EOFError, OSError):
            return _LOST
        if kind == "value":
            ends = on_validation(Value(*content))
            with suppress(OSError):  # it has ended meanwhile, which is seen next
                ours.send(ends)
        elif kind:
            return content if kind == "failed" else None


def _end(process: Any) -> None:
    """End the trial's process where it still runs; what it started sees that it is gone, and ends too."""
    if process.is_alive():
        process.terminate()
        process.join(_PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()


def _reason_of_exit(code: int | None) -> str:
    if code is not None and code < 0:
        short = " (out of memory?)" if code == -9 else ""
        return f"its process was killed by signal {-code}{short}"
    return f"its process ended with code {code}"
