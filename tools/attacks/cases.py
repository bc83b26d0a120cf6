"""Run numbered cases, some in parallel, and collect what they found."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from attacks.outcome import Failure, Outcome

_LEFT = 3  # folders left of each kind of failure, by each process


@dataclass
class Case:
    """One case: its number, its random generator, its folder, and what it found.

    Args:
        number: Its number.
        chance: Source of everything random in it.
        folder: Its folder.
        did: What it did, in a few words.
        ending: How it ended, in a word.
        found: Kinds of failures, and what was seen.
    """

    number: int
    chance: random.Random
    folder: Path
    did: str = ""
    ending: str = ""
    found: list[tuple[str, str]] = field(default_factory=list)


def numbers(count: int, only: int | None) -> Sequence[int]:
    """Return the numbers of the cases: all, or one."""
    return range(count) if only is None else [only]


def chance_of(name: str, seed: int, number: int) -> random.Random:
    """Return the random generator of a case: the same for the same attack, seed and number."""
    key = hashlib.sha256(f"{name} {seed} {number}".encode()).digest()
    return random.Random(int.from_bytes(key))


def run_cases(
    outcome: Outcome,
    run: Callable[[Case], None],
    numbers: Sequence[int],
    *,
    seed: int,
    folder: Path,
    jobs: int = 1,
) -> Outcome:
    """Run ``run`` on each case, and add the failures to ``outcome``.

    Args:
        outcome: Is filled.
        run: Makes the case, and notes in it what it found; a case depends only on its seed and its number.
        numbers: The cases.
        seed: Seed of all.
        folder: Each case gets a folder in it, which stays if the case failed.
        jobs: Processes that run cases.
    """
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    workers = [
        _start(run, numbers[job::jobs], outcome.name, seed, folder, job) for job in range(jobs)
    ]
    for process, _ in workers:
        os.waitpid(process, 0)
    found = [json.loads(line) for _, log in workers for line in log.read_text().splitlines()]
    endings: Counter[str] = Counter()
    for case in sorted(found, key=lambda c: c["number"]):
        endings[case["ending"]] += 1
        outcome.failures += [Failure(**failure) for failure in case["failures"]]
    outcome.tried += len(found)
    outcome.endings = dict(endings.most_common())
    outcome.seconds += time.monotonic() - started
    return outcome


def _start(
    run: Callable[[Case], None],
    numbers: Sequence[int],
    name: str,
    seed: int,
    folder: Path,
    job: int,
) -> tuple[int, Path]:
    log = folder / f"found-{job}.jsonl"
    log.write_text("")
    process = os.fork()
    if process:
        return process, log
    code = 1
    try:
        kinds: Counter[str] = Counter()
        with log.open("a") as file:
            for number in numbers:
                for line in _one(run, number, name, seed, folder, kinds):
                    file.write(f"{json.dumps(line)}\n")
                    file.flush()
        code = 0
    finally:
        with suppress(BaseException):
            traceback.print_exc() if code else None
        os._exit(code)


def _one(
    run: Callable[[Case], None],
    number: int,
    name: str,
    seed: int,
    folder: Path,
    kinds: Counter[str],
) -> Iterator[dict[str, object]]:
    place = folder / f"{number:05d}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    case = Case(number, chance_of(name, seed, number), place)
    try:
        run(case)
    except Exception:
        case.found.append(("attack itself", traceback.format_exc()[-1500:]))
    leaves = any(kinds[kind] < _LEFT for kind, _ in case.found)
    kinds.update({kind for kind, _ in case.found})
    if not leaves:
        shutil.rmtree(place, ignore_errors=True)
    failures = [
        Failure(kind, number, f"{what} | {case.did}", str(place) if leaves else None)
        for kind, what in case.found
    ]
    plain = [asdict(failure) for failure in failures]
    yield {"number": number, "did": case.did, "ending": case.ending, "failures": plain}
