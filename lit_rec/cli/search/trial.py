"""A trial of `lit-rec tune`: `lit-rec fit` in a process of its own, which reports each validation.

Where it runs on several devices, Lightning starts this module again for each further process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from importlib.util import find_spec
from multiprocessing import connection as connections
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger

from lit_rec.cli.main import message_of, quieten
from lit_rec.cli.options.own_modules import modules_of_folder
from lit_rec.cli.rec_cli import RecCLI, run
from lit_rec.search.reports import Pruned, TrialOptions, TrialReport, Value
from lit_rec.search.trial_process import LOG
from lit_rec.training.callbacks.run_record import HyperparameterRecord


class TrialCLI(RecCLI):
    """``fit`` in the folder of a trial, with a callback that reports each validation.

    Class attributes:
        folder: The trial's folder.
        on_validation: Gets each validation; returns whether the trial shall end.
    """

    folder: Path
    on_validation: Any = None

    def instantiate_trainer(self, **kwargs: Any) -> lightning.Trainer:
        """Build the Trainer, which writes to the trial's folder; the configuration stays the user's."""
        configured = self._get(self.config_init, "trainer", default={}).get("logger")
        named = configured if isinstance(configured, list) else [configured]
        # loggers of files would write elsewhere
        others = [
            one
            for one in named
            if isinstance(one, Logger) and not isinstance(one, TensorBoardLogger | CSVLogger)
        ]
        own = TensorBoardLogger(
            self.folder.parent, "", version=self.folder.name, default_hp_metric=False
        )
        trainer = super().instantiate_trainer(logger=[own, *others], **kwargs)
        callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
        for place, callback in enumerate(callbacks):
            if isinstance(callback, ModelCheckpoint):
                callback.dirpath = None  # a folder that the user names would be that of all trials
            if type(callback) is HyperparameterRecord:
                callbacks[place] = TrialOptions()
        callbacks.append(TrialReport(type(self).on_validation))
        return trainer


def fit_trial(folder: Path, words: list[str], on_validation: Any) -> None:
    """Train.

    Args:
        folder: The trial's folder.
        words: The words after ``lit-rec fit``.
        on_validation: Gets each validation; returns whether the trial shall end.

    Raises:
        Pruned: If the trial was ended.
        LitRecError: If it cannot be trained.
    """
    kind = type(
        "TrialCLI", (TrialCLI,), {"folder": folder, "on_validation": staticmethod(on_validation)}
    )
    with modules_of_folder("fit", words):
        run(["fit", *words], kind)


def run_trial(
    connection: Connection,
    folder: str,
    words: list[str],
    surroundings: tuple[str, dict[str, str], list[str]],
) -> None:
    """Be the process of a trial.

    Args:
        connection: To the process of the search.
        folder: The trial's folder.
        words: The words after ``lit-rec fit``.
        surroundings: Working folder, environment and ``sys.path`` of the search.
    """
    working_folder, variables, path = surroundings
    os.chdir(working_folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[:] = path
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the search ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _write_to(Path(folder, LOG))
    _end_with_the_search()
    # Lightning starts further processes by these
    sys.argv = [__file__, folder, *words]
    sys.modules["__main__"].__spec__ = find_spec(__name__)

    def on_validation(value: Value) -> bool:
        connection.send(("value", tuple(value)))
        return bool(connection.recv())

    try:
        quieten()
        fit_trial(Path(folder), words, on_validation)
    except Pruned:
        connection.send(("ended", None))
    except BaseException as error:
        traceback.print_exc()
        connection.send(("failed", _reason(error)))
    else:
        connection.send(("ended", None))
    sys.stdout.flush()
    sys.stderr.flush()


def _reason(error: BaseException) -> str:
    message = message_of(error)
    first = (message or f"{type(error).__name__}: {error}").partition("\n")[0]
    return first[:300].rstrip(".")


def _write_to(path: Path) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for number in (1, 2):
        os.dup2(file, number)
    os.close(file)


def _end_with_the_search() -> None:
    """End this process when that of the search ends, however it ends: another one will try these values again."""
    parent: Any = parent_process()

    def wait() -> None:
        connections.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _main() -> None:
    """Be a further process of a trial, which reports nothing."""
    folder, *words = sys.argv[1:]
    quieten()
    fit_trial(Path(folder), words, lambda value: False)


if __name__ == "__main__":
    _main()
