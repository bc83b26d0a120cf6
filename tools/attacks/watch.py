"""Watch this process from inside: programs it starts, connections, files that it would write outside its folders."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

CANARY = "torture_canary"  # a module that no code has a reason to import
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "pty.spawn")
_CONNECTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")
# event -> which arguments are paths that it changes, each with the argument of the folder that it is relative to
_CHANGES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),
    "os.link": ((1, 3),),
    "os.truncate": ((0, None),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
}
_DEVICES = ("/dev/null", "/dev/tty", "/dev/shm")  # noqa: S108  (no folder of ours)


def start(log: Path, writable: Sequence[Path]) -> None:
    """Write a line to ``log`` for each event, and refuse changes of files elsewhere.

    This lasts until the end of the process.

    Args:
        log: The file.
        writable: Folders, and files, that the process may change.
    """
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    roots = tuple(os.path.realpath(path) for path in writable)

    def note(text: str) -> None:
        os.write(file, f"{text}\n".encode(errors="replace"))

    def hook(event: str, args: tuple[Any, ...]) -> None:
        for path in _changed(event, args):
            if _is_outside(path, roots) and not (event == "os.mkdir" and os.path.isdir(path)):  # type: ignore[arg-type]
                note(f"written elsewhere: {event} {_shown(path)}")
                # as for a folder of another user, so that an attack does no harm
                raise PermissionError(errno.EACCES, "Permission denied", path)
        if event in _STARTS:
            note(f"program started: {event} {args[:2]!r:.200}")
        elif event in _CONNECTS:
            note(f"connection: {event} {args!r:.200}")
        elif event == "import" and args[0].startswith(CANARY):
            note(f"code run: import of {args[0]}")

    sys.addaudithook(hook)


def before_changes(act: Callable[[int, str, tuple[Any, ...]], None]) -> None:
    """Call ``act`` right before each call of this process that changes the file system.

    Args:
        act: Takes the call's number, from 1, its audit event and its arguments.
    """
    count = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        if event in _CHANGES or (event == "open" and _is_writing(args[2])):
            count += 1
            act(count, event, args)

    sys.addaudithook(hook)


def _is_writing(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & _WRITES)


def _changed(event: str, args: tuple[Any, ...]) -> Iterator[object]:
    """Yield the paths that a call changes; paths relative to an open folder become absolute."""
    if event == "open" and _is_writing(args[2]):
        yield args[0]
    for place, folder in _CHANGES.get(event, ()):
        path = args[place]
        if folder is not None and args[folder] != -1 and not isinstance(path, int):
            yield os.path.join(f"/proc/self/fd/{args[folder]}", os.fsdecode(path))
        else:
            yield path


def _is_outside(path: object, roots: Sequence[str]) -> bool:
    if isinstance(path, int):
        return False
    real = os.path.realpath(os.fsdecode(path))  # type: ignore[arg-type]
    return not real.startswith(_DEVICES) and not any(
        real == root or real.startswith(f"{root}/") for root in roots
    )


def _shown(path: object) -> str:
    return os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else repr(path)
