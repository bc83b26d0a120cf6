"""Run work in a forked process of its own group: limited in time and memory, watched, its output in files.

Importing torch and lit_rec takes seconds; a fork of a process that has done so takes milliseconds. The process that
forks must not have started threads: it only imports, and its children do all computing.
"""

from __future__ import annotations

import atexit
import gc
import os
import pickle
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attacks import watch

LIMIT = 30.0  # seconds that a case may take
_MEMORY = 6 << 30  # bytes of address space, on top of what the parent has
_FILE_SIZE = 1 << 30  # bytes of one written file
_PAUSE = 0.002  # seconds between two looks


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Args:
        code: Exit code; negative: the signal that ended it.
        timed_out: Whether it was stopped because it took too long.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
        seconds: How long it ran.
        seen: What the watch saw, a line each.
    """

    code: int
    timed_out: bool
    out: str
    err: str
    seconds: float
    seen: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Room:
    """The folders of one process.

    Args:
        folder: Holds all others.
        writable: Where the process may write, apart from its own temporary folder.
    """

    folder: Path
    writable: Sequence[Path] = ()

    def path(self, name: str) -> Path:
        """Return a folder of it: ``cwd``, ``home``, ``tmp`` or ``log``."""
        found = self.folder / name
        found.mkdir(parents=True, exist_ok=True)
        return found


def forked(
    work: Callable[[], Any],
    room: Room,
    *,
    limit: float = LIMIT,
    kill_after: float | None = None,
    prepare: Callable[[], None] | None = None,
) -> Ending:
    """Run ``work`` in a child and wait until it ends.

    Args:
        work: Returns, raises, or exits, as a program does.
        room: Where it works.
        limit: Seconds until it is stopped, with all processes that it started.
        kill_after: Seconds until it is killed on purpose.
        prepare: Runs in the child before ``work``, after its folders are set.
    """
    log = room.path("log")
    for name in ("cwd", "home", "tmp"):
        room.path(name)
    started = time.monotonic()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _live(work, room, prepare)
    with suppress(OSError):
        os.setpgid(child, child)
    until = started + (limit if kill_after is None else min(limit, kill_after))
    status = _wait(child, until)
    timed_out = status is None and kill_after is None
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        _, status = os.waitpid(child, 0)
    return Ending(
        os.waitstatus_to_exitcode(status),
        timed_out,
        _text(log / "out"),
        _text(log / "err"),
        time.monotonic() - started,
        _text(log / "seen").splitlines(),
    )


def answer(work: Callable[[], Any], room: Room, *, limit: float = 120.0) -> Any:
    """Return what ``work`` returns, from a child: for work that must not run in this process.

    Raises:
        RuntimeError: If the child ends otherwise.
    """
    path = room.path("log") / "answer"
    path.unlink(missing_ok=True)
    ending = forked(lambda: path.write_bytes(pickle.dumps(work())), room, limit=limit)
    if ending.code != 0 or not path.exists():
        raise RuntimeError(f"a child of the attack itself failed: {ending.err[-2000:]}")
    return pickle.loads(path.read_bytes())  # noqa: S301  (written by our own child)


def _wait(child: int, until: float) -> int | None:
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        if time.monotonic() >= until:
            return None
        time.sleep(_PAUSE)


def _live(work: Callable[[], Any], room: Room, prepare: Callable[[], None] | None) -> None:
    """Be the child; never return."""
    code = 70
    gc.freeze()  # a collection would touch all imported objects, and so copy the memory shared with the parent
    try:
        os.setpgid(0, 0)
        for name, number in (("out", 1), ("err", 2)):
            file = os.open(room.path("log") / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
            os.close(file)
        os.chdir(room.path("cwd"))
        os.environ["HOME"], os.environ["TMPDIR"] = str(room.path("home")), str(room.path("tmp"))
        tempfile.tempdir = None
        _bound()
        watch.start(room.path("log") / "seen", [*room.writable, room.path("tmp"), room.path("log")])
        if prepare is not None:
            prepare()
        code = _code_of(work)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _code_of(work: Callable[[], Any]) -> int:
    try:
        work()
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return stop.code or 0
        print(stop.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _bound() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + _MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_SIZE, _FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
