"""Processes of their own that need not import: forks of one that has, by the fork server of multiprocessing.

A new interpreter takes five seconds to import torch, Lightning and transformers, a fork none. How a command begins in a new
interpreter is tested with new interpreters: by the scripts of the README, in test_cli and in test_stopping.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Any

COMMAND = "import sys; from lit_rec.cli import main; main(sys.argv[1:])"

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        f"lit_rec.{name}"
        for name in ("training.command", "inference.predict_command", "inference.recommender")
    ]
)


class WarmProcess:
    """A script in a process of its own.

    Args:
        script: The text of it.
        words: What it finds as ``sys.argv[1:]``.
        folder: Where it works. What it prints is written there, into files that ``end`` removes.
        env: Environment variables, beside those of this process.
        open_files: How many files it may have open.
    """

    def __init__(
        self,
        script: str,
        *words: Any,
        folder: Path,
        env: Mapping[str, str] | None = None,
        open_files: int | None = None,
    ) -> None:
        self._said = [_new_file(folder, name) for name in ("out", "err")]
        self.args = [script, *map(str, words)]
        given = (self.args, str(folder), {**os.environ, **(env or {})}, self._said, open_files)
        self._process = _context.Process(target=_live, args=given)
        self._process.start()

    def end(self, seconds: float = 120) -> CompletedProcess[str]:
        """Wait for its end and return how it ended, as ``subprocess.run`` does.

        Raises:
            TimeoutExpired: If it takes longer; it is killed.
        """
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
            self._process.join()
        out, err = (Path(path).read_text(errors="replace") for path in self._said)
        for path in self._said:
            Path(path).unlink()
        if code is None:
            raise TimeoutExpired(self.args, seconds, out, err)
        return CompletedProcess(self.args, code, out, err)


def run_warm(
    script: str, *words: Any, seconds: float = 120, **options: Any
) -> CompletedProcess[str]:
    """Run a script to its end; ``options`` are those of WarmProcess."""
    return WarmProcess(script, *words, **options).end(seconds)


def _new_file(folder: Path, name: str) -> str:
    number, path = tempfile.mkstemp(dir=folder, prefix=f".{name}-")
    os.close(number)
    return path


def _live(
    args: list[str],
    folder: str,
    variables: Mapping[str, str],
    said: list[str],
    open_files: int | None,
) -> None:
    """Be the child; it ends as an interpreter does."""
    for number, path in enumerate(said, 1):
        file = os.open(path, os.O_WRONLY)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if open_files is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    import torch

    torch.set_num_threads(1)
    sys.argv = ["-c", *args[1:]]
    try:
        exec(compile(args[0], "script", "exec"), {"__name__": "__main__"})
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    finally:
        atexit._run_exitfuncs()
