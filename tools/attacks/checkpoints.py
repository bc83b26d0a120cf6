"""Checkpoints and encoder folders from strangers, given to every command that reads them.

Some changes are random, others are deliberate attacks.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from attacks.cases import Case, numbers, run_cases
from attacks.checkpoint_changes import changed_bytes, changed_checkpoint
from attacks.encoder_changes import changed_encoder
from attacks.forks import Room, answer, forked
from attacks.judgement import ended, judge
from attacks.marks import canary, changed, snapshot
from attacks.outcome import Outcome
from attacks.workplace import Workplace, command, make_workplace

_TURNS = ("checkpoint", "checkpoint", "checkpoint", "bytes", "encoder", "encoder")


def attack(
    count: int, seed: int, folder: Path, *, only: int | None = None, jobs: int = 1
) -> Outcome:
    """Change ``count`` checkpoints and encoder folders, and use each once.

    Args:
        count: Cases.
        seed: Seed of all changes.
        folder: Where to work.
        only: This case alone.
        jobs: Cases at once.
    """
    place = make_workplace(folder / "shared")
    outcome = Outcome(
        "checkpoints",
        "changed checkpoints, encoder folders and tokenizers",
        "run, or end with a sentence; no code run, no file written elsewhere, no hang",
    )
    run = partial(_use, place=place)
    cases = folder / "cases"
    return run_cases(outcome, run, numbers(count, only), seed=seed, folder=cases, jobs=jobs)


def _use(case: Case, place: Workplace) -> None:
    outside, given, run = (case.folder / name for name in ("outside", "given", "run"))
    for path in (outside, given, run):
        path.mkdir()
    kind = _TURNS[case.number % len(_TURNS)]
    words: list[str | Path]
    if kind == "encoder":
        encoder = given / "encoder"
        case.did = changed_encoder(case.chance, place.encoder, encoder, outside)
        words = [case.chance.choice(["check", "check", "fit"]), "-c", place.config]
        words += place.options(encoder=encoder, cache=run / "cache", runs=run)
        shutil.copytree(place.folder / "cache", run / "cache")
    else:
        checkpoint = run / "best.ckpt"
        write = changed_bytes if kind == "bytes" else changed_checkpoint
        make = partial(write, case.chance, place.run / "best.ckpt", checkpoint, outside)
        case.did = answer(make, Room(case.folder / "making", [run, outside]))
        words = _words(case, place, checkpoint, run)
    case.did = f"{words[0]}: {case.did}"
    room = Room(case.folder, [run, place.folder / "cache"])
    watched = [
        outside,
        given,
        *(room.path(name) for name in ("home", "cwd")),
        place.folder / "runs",
        place.folder / "my",
    ]
    before = snapshot(*watched)
    prepare = canary(room.path("canary"), outside)
    work = _api(checkpoint) if words[0] == "api" else None
    ending = forked(work, room, prepare=prepare) if work else command(words, room, prepare=prepare)
    case.ending = ended(ending)
    case.found += judge(ending, place.usual)
    for what in changed(before, snapshot(*watched)):
        case.found.append(("code run" if "canary" in what else "written elsewhere", what))
    shown = ending.out.lower().replace("\n", " ").split()
    if ending.code == 0 and words[0] in ("recommend", "api") and {"nan", "inf"} & {*shown}:
        case.found.append(("nan shown", ending.out[:300]))


def _words(case: Case, place: Workplace, checkpoint: Path, run: Path) -> list[str | Path]:
    """Draw a command for a checkpoint."""
    name = case.chance.choice(
        [
            "recommend",
            "recommend",
            "recommend",
            "api",
            "api",
            "test",
            "predict",
            "validate",
            "classify",
            "fit",
        ]
    )
    if name == "api":
        return ["api"]
    words: list[str | Path] = [name, "--ckpt_path", checkpoint]
    if name == "recommend":
        who = case.chance.choice(
            [["--history", "50,181"], ["--user", "1"], ["--history", "50:4,172:2"]]
        )
        return [*words, *who, "--k", "3"]
    if name == "classify":
        return [*words, "--text", "where is my card"]
    if name == "predict" and case.chance.random() < 0.5:
        words += ["--k", "3"]
    files = place.options(cache=run / "cache", runs=run)
    if name == "fit":
        return ["fit", "-c", place.config, *files, *words[1:]]
    if case.chance.random() < 0.7:  # else the checkpoint itself names the cache folder
        shutil.copytree(place.folder / "cache", run / "cache")
        words += [f"--data.cache_folder={run / 'cache'}"]
    return words


def _api(checkpoint: Path) -> Callable[[], None]:
    """Return a function that uses a checkpoint in Python and shows our own errors as the command line does."""

    def work() -> None:
        from lit_rec.errors import LitRecError  # noqa: PLC0415
        from lit_rec.inference.recommender import Recommender  # noqa: PLC0415

        try:
            print(Recommender.from_checkpoint(checkpoint).recommend(["50", "181"], k=3))
        except LitRecError as error:
            print(f"lit_rec: {error}", file=sys.stderr)
            raise SystemExit(2) from None

    return work
