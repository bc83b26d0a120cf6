"""Many threads: eight read one Recommender while two add and remove items.

Every answer is compared with serial answers. The changes are recorded in their order. A second Recommender with the
same weights, used by only one thread, makes the same changes one by one. An answer is right if it equals, to the last
digit, the second one's answer in a state that existed between the beginning and the end of the read. Histories hold
ids, also of items that come and go, and texts, some of which the tokenizer has to cut. Eight threads also read a
Reranker and a Classifier, which do not change.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for runs of this file alone

from attacks.threads_changes import (
    ASKED,
    READERS,
    WRITERS,
    beside_changes,
    figures_of,
    make_change,
)

_CYCLES = 60  # additions and removals of fifty items


def attack(count: int, seed: int, folder: Path) -> Any:
    """Return the Outcome of ``count`` reads without an index and as many with one.

    They run in a separate process, because this one may fork.

    Args:
        count: Reads of a Recommender with each kind of index, of a Reranker, and of a Classifier.
        seed: Seed of the requests and the changes.
        folder: Where made-up tables are written.
    """
    from attacks.outcome import Failure, Outcome  # noqa: PLC0415  (measure needs none of it)

    begun = time.perf_counter()
    words = ["--count", str(count), "--seed", str(seed), "--folder", str(folder)]
    done = subprocess.run(
        [sys.executable, __file__, *words], capture_output=True, text=True, check=False
    )
    found = Outcome(
        "threads",
        f"reads by {READERS} threads, {WRITERS} others add and remove",
        "each answer is the serial one of a state that existed, and memory does not grow",
    )
    if done.returncode:
        found.failures.append(Failure("the attack broke", 0, done.stderr[-2000:]))
    else:
        figures = json.loads(done.stdout.splitlines()[-1])
        for name, part in figures.items():
            found.tried += part["tried"]
            found.endings |= {f"{name}: {what}": part[what] for what in ("right", "wrong")}
            found.failures += [
                Failure(kind, number, what) for kind, number, what in part["failures"]
            ]
    found.seconds = time.perf_counter() - begun
    return found


def measure(count: int, seed: int, folder: Path, seconds: float = 0.0) -> dict[str, dict[str, Any]]:
    """Return figures of each part: ``tried``, ``right``, ``wrong``, ``removed`` and ``failures``.

    ``removed`` counts lists with an item that was not there.

    Args:
        count: As of ``attack``.
        seed: As of ``attack``.
        folder: As of ``attack``.
        seconds: Go on reading a Recommender for this long, even after ``count`` reads.
    """
    from attacks.threads_models import classifier, towers_and_cross_encoder  # noqa: PLC0415
    from lit_rec.inference.classifier import Classifier  # noqa: PLC0415
    from lit_rec.inference.index import stored_items  # noqa: PLC0415
    from lit_rec.inference.recommender import Recommender  # noqa: PLC0415
    from lit_rec.inference.reranker import Reranker  # noqa: PLC0415

    # with so few items, rows would never be freed and nothing forgotten
    stored_items._LEAST_DROPPED, stored_items.LEAST_REMEMBERED = 20, 30  # type: ignore[attr-defined]
    towers, cross = towers_and_cross_encoder(folder, seed)
    texts = classifier(folder, seed)
    found = {}
    for name, index in _indexes().items():
        found[name] = beside_changes(
            lambda index=index: Recommender(*towers(), index=index), count, seed, seconds
        )
    found["reranker"] = _unchanged(Reranker(*cross()), Reranker(*cross()), count // 10, seed)
    found["classifier"] = _unchanged(Classifier(*texts()), Classifier(*texts()), count, seed)
    found["memory"] = _growth(Recommender(*towers()))
    return found


def _indexes() -> dict[str, Any]:
    found: dict[str, Any] = {"exact": None}
    try:
        import faiss  # noqa: F401, PLC0415
    except ImportError:
        return found
    from lit_rec.inference.index.approximate_index import ApproximateIndex  # noqa: PLC0415

    def lists(vectors: Any) -> Any:
        return ApproximateIndex(vectors, exact_below=50)

    return {**found, "approximate": lists}


def _unchanged(read: Any, serial: Any, count: int, seed: int) -> dict[str, Any]:
    """Read a Reranker, or a Classifier, in many threads at once, and a second one only in this thread."""
    from attacks.threads_models import ITEMS, title  # noqa: PLC0415

    chance = random.Random(seed)

    def text() -> dict[str, str]:
        return {"title": title(chance.randrange(9_999))}

    some = [[text() for _ in range(1 + place % 3)] for place in range(ASKED)]
    ids = [[f"i{chance.randrange(ITEMS)}" for _ in range(3)] for _ in range(ASKED)]

    def answer(of: Any, place: int) -> Any:
        try:
            if hasattr(of, "classify"):
                return of.classify(some[place], k=3)
            return of.rerank([*ids[place], *some[place]], [*ids[-place], text_of[place]], k=4)
        except Exception as error:  # whatever readers run into
            return f"crashed: {type(error).__name__}: {error}"

    text_of = [text() for _ in range(ASKED)]
    expected = [answer(serial, place) for place in range(ASKED)]
    places = [chance.randrange(ASKED) for _ in range(count)]
    with ThreadPoolExecutor(READERS) as threads:
        found = list(threads.map(lambda place: answer(read, place), places))
    pairs = zip(places, found, strict=True)
    failures = [
        ("wrong answer", number, f"{one!r:.200}")
        for number, (place, one) in enumerate(pairs)
        if one != expected[place]
    ]
    return figures_of(count, failures)


def _growth(recommender: Any) -> dict[str, Any]:
    """Add and remove items again and again; the Recommender's memory must not grow with the cycles."""
    from attacks.threads_models import title  # noqa: PLC0415

    sizes = []
    for cycle in range(3 * _CYCLES):
        ids = [f"c{cycle}-{place}" for place in range(50)]
        texts = [title(place) for place in range(50)]
        make_change(recommender, "add", {"item_id": ids, "title": texts})
        make_change(recommender, "remove", ids)
        if cycle % _CYCLES == _CYCLES - 1:
            held = {n: part for n, part in vars(recommender).items() if n in _HELD}
            sizes.append(len(pickle.dumps(_without_module(held))))
    grown = sizes[-1] > 1.2 * sizes[1]
    failures = [("memory grows", 0, f"bytes after equally many cycles: {sizes}")] if grown else []
    return {**figures_of(3 * _CYCLES, failures), "bytes": sizes}


_HELD = {"_state", "_items", "_scores"}


def _without_module(held: Any) -> Any:
    """Return parts without the network, which cannot be pickled here and does not change."""
    found = []
    for part in held.values():
        for inner in (part, getattr(part, "scores", None), getattr(part, "items", None)):
            parts = getattr(inner, "__dict__", {})
            found.append(
                {
                    n: p
                    for n, p in parts.items()
                    if n not in {"_module", "_facts", "scores", "items"}
                }
            )
    return found


def main() -> None:
    """Print the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description="Read from many threads while others change.")
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=0.0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    figures = measure(options.count, options.seed, options.folder, options.seconds)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
