"""Kill commands at random moments: files stay whole, and the command run again ends as if it had never been killed.

Half of the kills come at a random time, half right before a random call that changes the file system; a command is
killed one to three times in a row before it may end.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from attacks import watch
from attacks.cases import Case, numbers, run_cases
from attacks.forks import Ending, Room, answer
from attacks.judgement import judge
from attacks.outcome import Outcome
from attacks.same_results import differences
from attacks.whole_files import damaged, hidden, leftovers, names
from attacks.workplace import Workplace, command, make_workplace

_RUN = "runs/own_data/version_0"
_LAST_SAVES = 3  # saves of last.ckpt before the run is resumed
_LISTS = ("--k", "10", "--data.eval_batch_size=4")  # several blocks of users
_TRAINED = ("last.ckpt", "best.ckpt")


@dataclass(frozen=True)
class _Kind:
    """One command that is killed: its name, and which files of a run are its results."""

    name: str
    results: tuple[str, ...]

    @property
    def trains(self) -> bool:
        return self.name in ("fit", "resumed fit")


_KINDS = (
    _Kind("fit", _TRAINED),
    _Kind("resumed fit", _TRAINED),
    _Kind("predict", ("predictions.parquet",)),
    _Kind("predict --k", ("recommendations.parquet",)),
    _Kind("test", ("report.json",)),
    _Kind("preparation", ()),
)


@dataclass(frozen=True)
class _Reference:
    """The same command without a kill: how long it takes, how often it changes the file system, and its folder."""

    kind: _Kind
    folder: Path
    seconds: float
    calls: int


def attack(
    count: int, seed: int, folder: Path, *, only: int | None = None, jobs: int = 1
) -> Outcome:
    """Kill ``count`` commands.

    Args:
        count: Cases, divided over fit, resumed fit, predict, predict with lists, test and preparation.
        seed: Seed of all moments.
        folder: Where to work.
        only: This case alone.
        jobs: Cases at once.

    Returns:
        The outcome; ``tried`` counts commands, each killed once or more.
    """
    place = make_workplace(folder / "shared")
    chosen = numbers(count, only)
    turns = {number % len(_KINDS) for number in chosen}
    starts, references = folder / "starts", {}
    for turn in sorted(turns):
        _make_start(place, starts / _KINDS[turn].name, _KINDS[turn])
        references[turn] = _reference(place, folder, _KINDS[turn])
    outcome = Outcome(
        "kills",
        "fit, resumed fit, predict, predict --k, test and preparation, killed 1 to 3 times",
        "no file damaged or emptied, nothing left over, results as of a run never killed",
    )

    def run(case: Case) -> None:
        _kill(case, place, folder, references[case.number % len(_KINDS)])

    return run_cases(outcome, run, chosen, seed=seed, folder=folder / "cases", jobs=jobs)


def _words(kind: _Kind, place: Workplace, here: Path) -> list[str | Path]:
    """Return the command as a user types it, the first time or after a kill."""
    files = place.options(cache=here / "cache", runs=here / "runs")
    if kind.trains:
        run = _newest(here)
        last = run and run / "last.ckpt"
        again = ["--ckpt_path", last] if last and last.is_file() else []
        return ["fit", "-c", place.config, *files, *again]
    if kind.name == "preparation":
        return ["check", "-c", place.config, *files]
    name, *further = kind.name.split()
    return [
        name,
        *("--ckpt_path", here / _RUN / "best.ckpt"),
        f"--data.cache_folder={here / 'cache'}",
        *(_LISTS if further else ()),
    ]


def _newest(here: Path) -> Path | None:
    runs = [*(here / "runs/own_data").glob("version_*")]
    return max(runs, key=lambda run: int(run.name.partition("_")[2]), default=None)


def _make_start(place: Workplace, start: Path, kind: _Kind) -> None:
    """Make the folder that a command starts from."""
    (start / "runs").mkdir(parents=True)
    if kind.name == "preparation":
        (start / "cache").mkdir()
    else:
        shutil.copytree(place.folder / "cache", start / "cache")
    if kind.results and not kind.trains:
        (start / _RUN).mkdir(parents=True)
        for name in (*_TRAINED, "config.yaml", "hparams.yaml"):
            shutil.copy2(place.run / name, start / _RUN / name)
    if kind.name == "resumed fit":
        room = Room(start.parent / "half", [start])
        die = partial(_die_after_saves, _LAST_SAVES)
        command(_words(kind, place, start), room, prepare=die)
        if not (start / _RUN / "last.ckpt").is_file():
            raise RuntimeError("the run to resume has no last.ckpt")


def _reference(place: Workplace, folder: Path, kind: _Kind) -> _Reference:
    """Run a command without a kill, and measure it."""
    here = folder / "references" / kind.name
    room = Room(folder / "room" / kind.name, [here])
    log = room.path("log") / "calls"

    def count() -> None:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        watch.before_changes(lambda *_: os.write(file, b"."))

    def run() -> Ending:
        ending = command(_words(kind, place, here), room, prepare=count)
        if ending.code != 0:
            raise RuntimeError(f"{kind.name} fails without a kill: {ending.err[-2000:]}")
        return ending

    shutil.copytree(folder / "starts" / kind.name, here)
    ending, calls = run(), log.stat().st_size
    if kind.name == "resumed fit":  # it has to equal a run that was never killed
        shutil.rmtree(here / "runs")
        run()
    return _Reference(kind, here, ending.seconds, calls)


def _kill(case: Case, place: Workplace, folder: Path, reference: _Reference) -> None:
    kind, here = reference.kind, case.folder / "place"
    shutil.copytree(folder / "starts" / kind.name, here)
    room = Room(case.folder, [here])
    kept = names(here)
    times = case.chance.randint(1, 3)
    case.did, case.ending = kind.name, "ended before the kill"
    for _ in range(times):
        how, options = _moment(case, reference)
        ending = command(_words(kind, place, here), room, **options)
        case.did += f", killed {how}"
        if ending.code != -signal.SIGKILL or ending.timed_out:
            case.found += judge(ending, place.usual, refusing=False)
            break
        case.ending = "killed"
        case.found += [("damaged file", what) for what in _ask(damaged, here, room)]
        case.found += [("file gone", name) for name in sorted(kept - names(here))]
    ending = command(_words(kind, place, here), room)
    found = [(f"run again: {k}", what) for k, what in judge(ending, place.usual, refusing=False)]
    if not found:
        found = [*_compare(kind, here, reference, room)]
    case.found += found


def _moment(case: Case, reference: _Reference) -> tuple[str, dict[str, Any]]:
    """Draw when a command is killed; return it in words and as options of ``forked``."""
    if case.chance.random() < 0.5:
        seconds = case.chance.uniform(0.0, reference.seconds)
        return f"after {seconds:.3f} s", {"kill_after": seconds}
    call = case.chance.randint(1, reference.calls)
    return f"before change {call}", {"prepare": partial(_die_before, call)}


def _compare(
    kind: _Kind, here: Path, reference: _Reference, room: Room
) -> Iterator[tuple[str, str]]:
    """Yield how the folder of a finished command differs from that of the command without a kill."""
    run = _newest(here) or here
    for what in _ask(damaged, here, room):
        yield "damaged file", f"at the end: {what}"
    expected = reference.folder / _RUN
    for what in _ask(partial(differences, reference=expected, names=kind.results), run, room):
        yield "other result", what
    for what in leftovers(here, hidden(reference.folder)):
        yield "leftover", what
    if kind.results:
        for name in sorted(names(expected) - names(run)):
            yield "file absent", name
        for name in sorted(names(run) - names(expected)):
            yield "leftover", f"{name}, which a run without a kill does not have"
    yield from _compare_caches(here / "cache", reference.folder / "cache", room)


def _compare_caches(cache: Path, reference: Path, room: Room) -> Iterator[tuple[str, str]]:
    for name in sorted(names(cache) ^ names(reference)):
        yield "leftover" if (cache / name).exists() else "file absent", f"cache/{name}"
    built = tuple(n for n in sorted(names(reference)) if n.startswith(("tables", "tokens")))
    for what in _ask(partial(differences, reference=reference, names=built), cache, room):
        yield "other result", what


def _ask(look: Callable[[Path], Iterator[str]], folder: Path, room: Room) -> list[str]:
    found: list[str] = answer(lambda: list(look(folder)), Room(room.folder / "look"))
    return found


def _die_before(call: int) -> None:
    """Have this process killed right before a change of the file system."""
    watch.before_changes(lambda count, *_: _die() if count == call else None)


def _die_after_saves(saves: int) -> None:
    """Have this process killed right after so many saves of last.ckpt."""
    seen = 0

    def act(_: int, event: str, args: tuple[Any, ...]) -> None:
        nonlocal seen
        if seen >= saves:
            _die()
        if event == "os.rename" and str(args[1]).endswith("/last.ckpt"):
            seen += 1

    watch.before_changes(act)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
