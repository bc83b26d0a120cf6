"""Reads of a Recommender by many threads while others change it.

Each answer has to come from a state that existed.
"""

from __future__ import annotations

import functools
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock, Thread, current_thread
from typing import Any

READERS, WRITERS = 8, 2
ASKED = 40  # distinct requests
_LIMIT = 600.0  # seconds that the readers take at most
_SHOWN = 20  # failures that are returned
_REMOVED = "removed item recommended"

Answer = Any
Request = dict[str, Any]


@dataclass
class Read:
    """One read: the request's number, the answer, and the first and the last state that it may have seen."""

    request: int
    answer: Answer
    first: int
    last: int


@dataclass
class Record:
    """Changes in their order, and how many have begun and ended."""

    changes: list[tuple[str, Any]] = field(default_factory=list)
    begun: int = 0
    ended: int = 0


def beside_changes(
    make: Callable[[], Any], count: int, seed: int, seconds: float
) -> dict[str, Any]:
    """Read a Recommender in eight threads while two others change it; return the figures and the number of states.

    Args:
        make: Makes a Recommender, the same each time.
        count: Reads.
        seed: Seed of the requests and the changes.
        seconds: Go on for this long, even after ``count`` reads.
    """
    recommender, requests = make(), _requests(seed)
    record, stop = Record(), Event()
    reads: list[Read] = []
    numbers, until = itertools.count(), time.perf_counter() + seconds
    ended = time.perf_counter() + _LIMIT
    turn = Lock()

    def read() -> None:
        chance = random.Random(f"{seed} {current_thread().name}")
        while (
            next(numbers) < count or time.perf_counter() < until
        ) and time.perf_counter() < ended:
            number = chance.randrange(len(requests))
            first = record.ended
            answer = _answer(recommender, requests[number])
            reads.append(Read(number, answer, first, record.begun))

    def write(writer: int) -> None:
        chance = random.Random(seed + writer)
        while not stop.is_set():
            with turn:  # so that the order of the changes is known
                kind, what = _change(recommender, chance, len(record.changes))
                record.changes.append((kind, what))
                record.begun += 1
                make_change(recommender, kind, what)
                record.ended += 1
            time.sleep(0.001)

    writers = [Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    readers = [Thread(target=read, name=str(reader)) for reader in range(READERS)]
    begun = time.perf_counter()
    for thread in [*writers, *readers]:
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    for thread in writers:
        thread.join()
    took = time.perf_counter() - begun
    figures = _judged(make(), requests, reads, record.changes)
    return {**figures, "states": len(record.changes) + 1, "seconds": round(took, 1)}


def _requests(seed: int) -> list[Request]:
    """Return requests by ids (of the checkpoint, and of items that come and go), by texts, and by both."""
    from attacks.threads_models import ITEMS, USERS, title  # noqa: PLC0415

    chance = random.Random(seed)

    def entry() -> Any:
        ids = [f"i{chance.randrange(ITEMS)}", f"n{chance.randrange(40)}"]
        return chance.choice([ids[0], ids[0], ids[1], {"title": title(chance.randrange(9_999))}])

    found: list[Request] = []
    for place in range(ASKED):
        history = [entry() for _ in range(chance.randrange(5))]
        request: Request = {"history": history}
        if place % 3 == 0:
            request["items"] = [f"i{chance.randrange(ITEMS)}", f"n{chance.randrange(40)}"]
        else:
            request["k"] = chance.choice([3, 10, 200])
            request["exclude_seen"] = chance.random() < 0.5
        if place % 5 == 0:
            request["user"] = f"u{chance.randrange(USERS)}"
        found.append(request)
    return found


def _answer(recommender: Any, request: Request) -> Answer:
    from lit_rec.errors import LitRecError  # noqa: PLC0415

    try:
        if "items" in request:
            return recommender.score(**request)
        found = recommender.recommend(**request)
        return [(one.item_id, one.score, tuple(one.fields.items())) for one in found]
    except LitRecError as error:
        return f"refused: {error}"
    except Exception as error:  # whatever readers run into
        return f"crashed: {type(error).__name__}: {error}"


def _change(recommender: Any, chance: random.Random, number: int) -> tuple[str, Any]:
    """Return the next change: forty ids come and go; items of the checkpoint are only removed, and only a few."""
    from attacks.threads_models import title  # noqa: PLC0415

    here = recommender.item_ids
    absent = sorted({f"n{place}" for place in range(40)} - set(here))
    if absent and chance.random() < 0.5:
        ids = chance.sample(absent, min(len(absent), chance.randint(1, 6)))
        texts = [title(chance.randrange(9_999)) for _ in ids]
        return "add", {"item_id": ids, "title": texts, "year": [number] * len(ids)}
    coming = [id_ for id_ in here if id_[0] == "n"] or here[:1]
    gone = chance.sample(coming, min(len(coming), chance.randint(1, 6)))
    return "remove", [*gone, here[0]] if chance.random() < 0.02 else gone


def make_change(recommender: Any, kind: str, what: Any) -> None:
    """Add items, or remove some."""
    import polars as pl  # noqa: PLC0415

    if kind == "add":
        recommender.add_items(pl.DataFrame(what))
    else:
        recommender.remove_items(what)


def _judged(
    serial: Any, requests: Sequence[Request], reads: Sequence[Read], changes: Sequence[Any]
) -> dict[str, Any]:
    """Replay the changes in one thread, and compare each read with the answers of the states it may have seen."""
    by_state: dict[int, list[int]] = {}
    for number, read in enumerate(reads):
        for state in range(read.first, read.last + 1):
            by_state.setdefault(state, []).append(number)
    wrong: dict[int, set[str]] = {number: set() for number in range(len(reads))}
    for state in range(len(changes) + 1):
        if state:
            make_change(serial, *changes[state - 1])
        here = set(serial.item_ids)
        answer = functools.cache(lambda number: _answer(serial, requests[number]))
        for number in set(by_state.get(state, ())) & wrong.keys():
            if reads[number].answer == answer(reads[number].request):
                del wrong[number]
            else:
                wrong[number] |= here
    failures = [_failure(number, reads[number], requests, ids) for number, ids in wrong.items()]
    removed = sum(kind == _REMOVED for kind, _, _ in failures)
    return figures_of(len(reads), failures, removed=removed)


def _failure(
    number: int, read: Read, requests: Sequence[Request], there: set[str]
) -> tuple[str, int, str]:
    """Return the kind of a wrong answer, its number, and words.

    ``there`` are the items of the states that it may have seen.
    """
    answer, kind = read.answer, "wrong answer"
    if isinstance(answer, str):
        kind = "exception" if answer.startswith("crashed") else "wrongly refused"
    elif answer and isinstance(answer[0], tuple) and {one[0] for one in answer} - there:
        kind = _REMOVED
    return kind, number, f"{requests[read.request]}: {answer!r:.200}"


def figures_of(tried: int, failures: list[tuple[str, int, str]], **more: int) -> dict[str, Any]:
    """Return the figures of a part of the attack."""
    wrong = len(failures)
    return {
        "tried": tried,
        "right": tried - wrong,
        "wrong": wrong,
        **more,
        "failures": failures[:_SHOWN],
    }
