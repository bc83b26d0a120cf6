"""Processes of their own that need not import: forks of one that has, by the fork server of multiprocessing.

A new interpreter takes five seconds to import torch, Lightning and transformers, a fork none. How a command begins in a
new interpreter is tested with new interpreters, by the scripts of the README and in test_cli.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Any

COMMAND = "import sys; from lit_rec.cli.main import main; main(sys.argv[1:])"

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        *("lit_rec.cli.rec_cli", "lit_rec.cli.predict_cli"),
        *("lit_rec.inference.recommender", "torch.utils.tensorboard"),
        *("torch.distributed.fsdp", "transformers.models.bert.modeling_bert"),
    ]
)


class WarmProcess:
    """A script in a process of its own.

    Args:
        script: The text of it, or its file, which Lightning starts again for each further process of a run.
        words: What it finds as ``sys.argv[1:]``.
        folder: Where it works. Pipes for what it prints lie there until ``end``.
        env: Environment variables, beside those of this process.
        open_files: How many files it may have open.
    """

    def __init__(
        self,
        script: str | Path,
        *words: Any,
        folder: Path,
        env: Mapping[str, str] | None = None,
        open_files: int | None = None,
    ) -> None:
        self.args = [str(script), *map(str, words)]
        code = script.read_text() if isinstance(script, Path) else script
        self._said = [_Pipe(folder), _Pipe(folder)]
        pipes = [pipe.path for pipe in self._said]
        variables = {**os.environ, **(env or {})}
        given = (code, self.args, str(folder), variables, pipes, open_files)
        self._process = _context.Process(target=_live, args=given)
        self._process.start()

    def end(self, seconds: float = 120) -> CompletedProcess[str]:
        """Wait until it and all that it started have ended, and return how it ended, as ``subprocess.run`` does.

        Raises:
            TimeoutExpired: If it takes longer; it is killed.
        """
        until = time.monotonic() + seconds
        self._process.join(seconds)
        late = self._process.is_alive()
        if late:
            self._process.kill()
            self._process.join()
        out, err = (pipe.text(until) for pipe in self._said)
        if late or out is None or err is None:
            raise TimeoutExpired(self.args, seconds, out, err)
        return CompletedProcess(self.args, self._process.exitcode, out, err)


def run_warm(
    script: str | Path, *words: Any, seconds: float = 120, **options: Any
) -> CompletedProcess[str]:
    """Run a script to its end; ``options`` are those of WarmProcess."""
    return WarmProcess(script, *words, **options).end(seconds)


class _Pipe(threading.Thread):
    """What processes write, until the last of them has ended."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix=".pipe-")
        self.path = str(Path(self._folder.name, "pipe"))
        self._text: str | None = None
        os.mkfifo(self.path)
        self.start()

    def run(self) -> None:
        self._text = Path(self.path).read_text(errors="replace")

    def text(self, until: float) -> str | None:
        """Return all of it; None if there are processes that could write more."""
        self.join(max(0.1, until - time.monotonic()))
        self._folder.cleanup()
        return self._text


def _live(
    code: str,
    args: list[str],
    folder: str,
    variables: Mapping[str, str],
    pipes: list[str],
    open_files: int | None,
) -> None:
    """Be the child; it ends as an interpreter does."""
    gc.freeze()  # a collection would look at all that was imported, and copy the memory that all children share
    for number, path in enumerate(pipes, 1):
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
    sys.argv = args
    try:
        exec(compile(code, "script", "exec"), {"__name__": "__main__"})
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    finally:
        atexit._run_exitfuncs()
