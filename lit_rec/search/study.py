"""SharedStudy: the trials of a search, in a journal that several processes write."""

from __future__ import annotations

import importlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from lit_rec.errors import ConfigError, excerpt
from lit_rec.files.lock import FileLock
from lit_rec.search.workers import Worker

JOURNAL = "study.journal"
_NAME = "lit_rec"
_PAUSE = 1.0  # seconds between two looks at the trials of other processes
_RANDOM_TRIALS = 10  # before the sampler models them
# a trial may be pruned at its second validation, once five others have ended
_PRUNES_AFTER = {"n_startup_trials": 5, "n_warmup_steps": 2}


def optuna() -> Any:
    """Return Optuna.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        return importlib.import_module("optuna")
    except ImportError as error:
        raise ConfigError(
            f"Optuna cannot be imported ({error})",
            where="lit-rec tune",
            rule="a search needs the optional package optuna",
            remedy="pip install optuna",
        ) from error


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Hide Optuna's remarks that parts of it are new."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class SharedStudy:
    """A study of Optuna in the folder of a search.

    Several processes may open it at once: a lock has one of them at a time take a trial, so that there are exactly as
    many trials as asked for.

    Args:
        folder: The folder; made where it is not there.
        maximises: Whether large values are good.
        seed: Of the sampler.
        about: The configuration and the space, each as plain values by name. A folder belongs to one of both.
        first: Values of the first trial.

    Raises:
        ConfigError: If Optuna is not installed, or the folder belongs to another search.
    """

    def __init__(
        self,
        folder: Path,
        *,
        maximises: bool,
        seed: int,
        about: Mapping[str, Mapping[str, Any]],
        first: Mapping[str, Any],
    ) -> None:
        self.folder, self._seed = folder, seed
        self._optuna = package = optuna()
        package.logging.set_verbosity(package.logging.WARNING)
        folder.mkdir(parents=True, exist_ok=True)
        journal = importlib.import_module("optuna.storages.journal")
        path = str(folder / JOURNAL)
        storage = package.storages.JournalStorage(
            journal.JournalFileBackend(path, lock_obj=journal.JournalFileOpenLock(path))
        )
        with self._alone(), _without_remarks():
            self._study = package.create_study(
                study_name=_NAME,
                storage=storage,
                direction="maximize" if maximises else "minimize",
                pruner=package.pruners.MedianPruner(**_PRUNES_AFTER),
                load_if_exists=True,
            )
            known = self._study.user_attrs
            if "about" not in known:
                self._study.set_user_attr("about", json.dumps(about))
                self._study.enqueue_trial(dict(first))
            else:
                _refuse_other(json.loads(known["about"]), json.loads(json.dumps(about)), folder)
        self._worker = Worker(folder)

    def close(self) -> None:
        """Say that this process takes no further trials."""
        self._worker.end()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = FileLock(self.folder / ".lit_rec-search.lock")
        lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @property
    def maximises(self) -> bool:
        """Whether large values are good."""
        return bool(self._study.direction == self._optuna.study.StudyDirection.MAXIMIZE)

    @property
    def trials(self) -> list[Any]:
        """All trials that have begun, as Optuna's FrozenTrial."""
        waiting = self._optuna.trial.TrialState.WAITING
        return [t for t in self._study.get_trials(deepcopy=False) if t.state != waiting]

    @property
    def best(self) -> Any | None:
        """The best of the trials that were finished; None: there is none."""
        complete = [trial for trial in self.trials if trial.state.name == "COMPLETE"]
        sign = -1 if self.maximises else 1
        return min(complete, key=lambda t: (sign * t.value, t.number), default=None)

    def counted(self) -> int:
        """Return how many trials count: those that were finished or pruned."""
        return sum(trial.state.name in ("COMPLETE", "PRUNED") for trial in self.trials)

    def take(self, count: int) -> Any | None:
        """Return the next trial; None: there are as many as asked for.

        Waits while trials of other processes could make up the number: one of them may fail. Trials of processes that
        are gone are marked as failed, and begun again.

        Args:
            count: How many trials the whole study shall have.
        """
        while True:
            with self._alone():
                self._replace_lost()
                running = sum(trial.state.name == "RUNNING" for trial in self.trials)
                done = self.counted()
                if done + running < count:
                    return self._ask()
            if done >= count:
                return None
            self.beat()
            time.sleep(_PAUSE)

    def _ask(self) -> Any:
        # a seed by the number of trials: neither another process nor a search that goes on draws the same values
        state = np.random.SeedSequence([self._seed, len(self.trials)])
        seed = int(state.generate_state(1)[0])
        with _without_remarks():
            self._study.sampler = self._optuna.samplers.TPESampler(
                seed=seed,
                n_startup_trials=_RANDOM_TRIALS,
                multivariate=True,
                group=True,
                constant_liar=True,
            )
            trial = self._study.ask()
        for name, value in (
            ("worker", self._worker.name),
            ("host", self._worker.host),
            ("pid", os.getpid()),
        ):
            trial.set_user_attr(name, value)
        return trial

    def draw(self, trial: Any, suggest: Callable[[Any], Any]) -> Any:
        """Have a trial draw its values."""
        with _without_remarks():
            return suggest(trial)

    def _replace_lost(self) -> None:
        for trial in self.trials:
            if trial.state.name == "RUNNING":
                known = trial.user_attrs
                if not self._worker.sees(str(known.get("worker")), str(known.get("host"))):
                    self.give_up(trial.number, "its process is gone")

    def beat(self) -> None:
        """Say that this process is there."""
        self._worker.beat()

    def give_up(self, number: int, reason: str) -> None:
        """Mark a trial that was interrupted as failed, and have its values tried again."""
        trial = next(trial for trial in self.trials if trial.number == number)
        values = trial.system_attrs.get("fixed_params") or trial.params
        with suppress(self._optuna.exceptions.UpdateFinishedTrialError):
            self._study._storage.set_trial_user_attr(trial._trial_id, "reason", reason)
            self._tell(number, "FAIL", None)
            if values:
                self._study.enqueue_trial(values, user_attrs={"replaces": number})

    def report(self, trial: Any, value: float, step: int) -> bool:
        """Note the value of a validation; return whether the trial shall end."""
        try:
            trial.report(value, step)
        except self._optuna.exceptions.UpdateFinishedTrialError:
            return True  # another process took this one for dead
        return bool(trial.should_prune())

    def finish(self, trial: Any, state: str, value: float | None, **attributes: Any) -> None:
        """Note how a trial has ended.

        Args:
            trial: The trial.
            state: COMPLETE, PRUNED or FAIL.
            value: What decides, where it is complete.
            attributes: Such as ``seconds``.
        """
        with suppress(self._optuna.exceptions.UpdateFinishedTrialError):
            for name, one in attributes.items():
                if one is not None:
                    trial.set_user_attr(name, one)
            self._tell(trial.number, state, value)

    def _tell(self, number: int, state: str, value: float | None) -> None:
        with _without_remarks():
            self._study.tell(number, value, state=self._optuna.trial.TrialState[state])

    def importances(self) -> dict[str, float]:
        """Return how much each option matters for the value, if enough trials were finished; the largest first."""
        complete = [trial for trial in self.trials if trial.state.name == "COMPLETE"]
        if len(complete) < _RANDOM_TRIALS or len({trial.value for trial in complete}) < 2:
            return {}
        importance = importlib.import_module("optuna.importance")
        with _without_remarks():
            found = importance.get_param_importances(
                self._study, evaluator=importance.PedAnovaImportanceEvaluator()
            )
        return dict(found)


def _refuse_other(
    there: Mapping[str, Mapping[str, Any]], asked: Mapping[str, Mapping[str, Any]], folder: Path
) -> None:
    for part, options in asked.items():
        before = there[part]
        names = sorted({*before, *options})
        other = [name for name in names if before.get(name) != options.get(name)]
        if other:
            raise ConfigError(
                f"holds a search with another {part}",
                where=f"--output {folder}",
                rule="one configuration and one space in a folder: their trials are compared",
                remedy="name another folder with --output, or call it as before to go on",
                details=[
                    f"{n}: {excerpt(before.get(n))} there, {excerpt(options.get(n))} here"
                    for n in other
                ],
            )
