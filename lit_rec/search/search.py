"""Search: run trials until there are as many as asked for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from lit_rec.errors import ConfigError
from lit_rec.progress import say, short
from lit_rec.search import results
from lit_rec.search.reports import Value
from lit_rec.search.space import Space
from lit_rec.search.study import SharedStudy

_FAILURES = 5
# gets a trial's number, its words, what gets each validation, and what is called each second; returns why it failed
Runner = Callable[[int, list[str], Callable[[Value], bool], Callable[[], None]], str | None]


class Search:
    """Draw values, have them tried, and keep what came out.

    Args:
        study: The trials.
        space: What is searched.
        run: Runs a trial.

    Attributes:
        monitor: The metric that decides, once a trial has reported it.
    """

    def __init__(self, study: SharedStudy, space: Space, run: Runner) -> None:
        self.study, self.space = study, space
        self.monitor = next(
            (str(t.user_attrs["monitor"]) for t in study.trials if "monitor" in t.user_attrs), ""
        )
        self._run = run

    def go_on(self, count: int) -> None:
        """Run trials until the study has ``count`` that were finished or pruned.

        Raises:
            ConfigError: If five trials in a row fail.
            Stopped: If a signal ends the search; the trial is tried again by the next call.
        """
        failures: list[str] = []
        while (trial := self.study.take(count)) is not None:
            reason = self._one(trial)
            results.write(self.study, self.space, self.monitor)
            failures = [] if reason is None else [*failures, f"trial {trial.number}: {reason}"]
            if len(failures) == _FAILURES:
                raise ConfigError(
                    f"{_FAILURES} trials in a row have failed",
                    where=f"--output {self.study.folder}",
                    rule="a configuration that `lit-rec fit` can train, with options of the space too",
                    remedy=f"read {results.trial_folder(self.study.folder, trial.number) / 'log.txt'}, correct the "
                    "configuration or the space, and name another folder with --output",
                    details=failures,
                )

    def _one(self, trial: Any) -> str | None:
        """Run a trial; return why it failed, or None."""
        study, started = self.study, time.monotonic()
        reports: list[Value] = []
        is_pruned = False

        def on_validation(value: Value) -> bool:
            nonlocal is_pruned
            reports.append(value)
            if len(reports) == 1:
                trial.set_user_attr("monitor", value.monitor)
            is_pruned = study.report(trial, value.value, value.step)
            return is_pruned

        try:
            drawn = study.draw(trial, self.space.suggest)
            reason = self._run(trial.number, self.space.words(drawn), on_validation, study.beat)
        except BaseException:  # also a signal: nothing is wrong with the trial
            study.give_up(trial.number, "interrupted")
            results.write(study, self.space, self.monitor)
            raise
        reason = reason or self._wrong(reports)
        seconds = time.monotonic() - started
        if reason is not None:
            study.finish(trial, "FAIL", None, seconds=seconds, reason=reason)
            say(f"trial {trial.number}  failed: {reason}")
            return reason
        sign = 1 if study.maximises else -1
        value = max((one.value for one in reports), key=lambda one: sign * one)
        self.monitor = reports[0].monitor
        state = "PRUNED" if is_pruned else "COMPLETE"
        study.finish(trial, state, None if is_pruned else value, seconds=seconds)
        folder = results.trial_folder(study.folder, trial.number)
        results.write_hparams(folder, drawn, self.monitor, value, len(reports))
        self._tell(trial.number, value, seconds, drawn, is_pruned=is_pruned)
        return None

    def _wrong(self, reports: list[Value]) -> str | None:
        if not reports:
            return "it has reported no validation"
        last = reports[-1]
        if (last.mode == "max") != self.study.maximises:
            return f"{last.monitor} has the mode {last.mode}, and the search has the other"
        bad = next((one for one in reports if not math.isfinite(one.value)), None)
        return None if bad is None else f"{bad.monitor} is {bad.value}"

    def _tell(
        self, number: int, value: float, seconds: float, drawn: dict[str, Any], *, is_pruned: bool
    ) -> None:
        best = self.study.best
        names = results.short_names([*self.space.ranges])
        options = ", ".join(f"{names[o]} {results.cell(one)}" for o, one in drawn.items())
        said = f"trial {number}  {self.monitor} {short(value)}{', pruned' * is_pruned}  {seconds:.0f} s"
        if best is not None:
            said += f"  best {short(best.value)} (trial {best.number})"
        say(f"{said}\n    {options}")
