"""If a process of a run dies, end the others, and say which one died and how to resume."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from typing import Any

from lightning.fabric.strategies.launchers import subprocess_script

from lit_rec.errors import causes
from lit_rec.stopping import say, stop

_SECONDS, _GRACE = 1, 5
# messages of gloo and NCCL in a process when another one has ended
_GONE = re.compile(
    r"[Cc]onnection (closed by peer|reset by peer|refused)|Broken pipe|NCCL|gloo.*(timed out|Timed out)|Socket closed"
)
_children: list[subprocess.Popen[bytes]] = []


class ChildObserver(threading.Thread):
    """Replace Lightning's own observer, which ends the process silently, as if by a signal.

    Args:
        main_pid: The process that launched the others.
        child_processes: The others, in the order of ranks from 1.
    """

    def __init__(self, main_pid: int, child_processes: list[Any], sleep_period: int = 5) -> None:
        super().__init__(daemon=True, name="child-process-observer")
        _children[:] = child_processes

    def run(self) -> None:
        """Check every second until all have ended; if one has failed, end the others and this process."""
        while True:
            if (lost := _lost()) is not None:
                time.sleep(_GRACE)  # time for this process to report its own error
                say(f"{lost}; {stop.remedy or 'begin again'}")
                end_children()
                os._exit(1)
            if all(child.poll() is not None for child in _children):
                return
            time.sleep(_SECONDS)


def watch_processes(*, child: bool) -> None:
    """End this process when another process of its run ends.

    Args:
        child: Whether another process launched this one, which then watches that process.
    """
    subprocess_script._ChildProcessObserver = ChildObserver  # type: ignore[misc,assignment]
    if child:
        parent = os.getppid()
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def lost_process(error: BaseException) -> str | None:
    """Return the message for an error that a lost process caused, and end the other children; None for other errors.

    Args:
        error: The error that stopped this process.
    """
    lost = [
        str(one)
        for one in causes(error)
        if isinstance(one, RuntimeError) and _GONE.search(str(one))
    ]
    if not lost:
        return None
    time.sleep(_SECONDS)  # until the system reports that the other has ended
    message = _lost() or f"another process of this run has ended ({' '.join(lost[0].split())[:80]})"
    end_children()
    return f"{message}; {stop.remedy or 'begin again'}"


def end_children() -> None:
    """Kill the processes that this one launched and that still run."""
    for child in _children:
        if child.poll() is None:
            child.kill()


def _lost() -> str | None:
    ended = [(rank, child.poll()) for rank, child in enumerate(_children, 1) if child.poll()]
    # first those killed by a signal: others ended because of them
    for rank, code in sorted(ended, key=lambda found: found[1] or 0):
        how = (
            f"was killed by signal {-code}" if code and code < 0 else f"ended with exit code {code}"
        )
        return f"the process of rank {rank} {how}"
    return None


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS)
    time.sleep(_GRACE)  # after a successful run, this process ends by itself in this time
    say(f"the process of rank 0 has ended, and this one with it; {stop.remedy or 'begin again'}")
    os._exit(1)
