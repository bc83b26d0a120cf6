"""One part of tools/benchmark speed index, in a process of its own; its last line is JSON.

python -m tools.benchmarks.speed.index_process exact | memory | approximate ITEMS USERS
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lit_rec.inference.index.approximate_index import ApproximateIndex
from lit_rec.inference.index.exact_index import ExactIndex

_WIDTH, _TOPICS, _THEMES = 384, 2_000, 64
_BLOCK, _K = 100, 10
_ALONE = 100  # users who are searched for one at a time
_GIB = 2**30


def mixture(rows: int, seed: int) -> Tensor:
    """Return vectors ``[rows, 384]``: see index.py. The topics are the same for every seed."""
    fixed = torch.Generator().manual_seed(0)
    themes = torch.randn(_THEMES, _WIDTH, generator=fixed)
    parent = torch.randint(_THEMES, (_TOPICS,), generator=fixed)
    topics = themes[parent] + torch.randn(_TOPICS, _WIDTH, generator=fixed)
    chance = torch.Generator().manual_seed(seed)
    vectors = torch.empty(rows, _WIDTH)
    for part in torch.split(vectors, 10_000):  # so that making them does not decide the peak memory
        of = topics[torch.randint(_TOPICS, (len(part),), generator=chance)]
        noise = torch.randn(len(part), _WIDTH, generator=chance)
        length = torch.exp(0.3 * torch.randn(len(part), 1, generator=chance))
        part.copy_(0.6 * (of + noise) * length / _WIDTH**0.5)
    return vectors


def exact(items: int, users: int) -> dict[str, Any]:
    """Time blocks of users by a plain product and by ExactIndex, in turns; ms per user."""
    vectors, queries = mixture(items, 1), mixture(users, 2)
    index = ExactIndex(vectors)
    found: dict[str, list[float]] = {"plain": [], "index": [], "ratio": [], "equal": []}
    for block in [queries[:_BLOCK], *torch.split(queries, _BLOCK)]:
        plain, expected = _timed(lambda block=block: (block @ vectors.T).topk(_K).indices)
        ours, rows = _timed(lambda block=block: index.search(block, _K).rows)
        found["plain"].append(1e3 * plain / len(block))
        found["index"].append(1e3 * ours / len(block))
        found["ratio"].append(ours / plain)
        found["equal"].append(float((rows == expected).all(1).float().mean()))
    # the first block came twice: its first time pays for allocations
    return {name: values[1:] for name, values in found.items()}


def memory(items: int, users: int) -> dict[str, Any]:
    """Return the peak memory of a process that searches for all users with ExactIndex."""
    index = ExactIndex(mixture(items, 1))
    for block in torch.split(mixture(users, 2), _BLOCK):
        index.search(block, _K)
    return {"peak": [_peak() / _GIB]}


def approximate(items: int, users: int) -> dict[str, Any]:
    """Time one user at a time by a plain product, by ExactIndex and by ApproximateIndex, in turns."""
    vectors, queries = mixture(items, 1), mixture(users, 2)[:_ALONE]
    whole = ExactIndex(vectors)
    build, index = _timed(lambda: ApproximateIndex(vectors))
    found: dict[str, list[float]] = {
        name: [] for name in ("index", "plain_ratio", "exact_ratio", "recall")
    }
    for query in [queries[:1], *torch.split(queries, 1)]:
        plain, best = _timed(lambda query=query: (query @ vectors.T).topk(_K).indices)
        slow, _ = _timed(lambda query=query: whole.search(query, _K))
        fast, rows = _timed(lambda query=query: index.search(query, _K).rows)
        found["index"].append(1e3 * fast)
        found["plain_ratio"].append(plain / fast)
        found["exact_ratio"].append(slow / fast)
        found["recall"].append(float(torch.isin(best, rows).float().mean()))
    with tempfile.TemporaryDirectory(prefix="lit_rec_index_") as folder:
        path = Path(folder) / "best.index"
        index.save(path)
        size = path.stat().st_size / _GIB
    lists = {name: values[1:] for name, values in found.items()}
    return {**lists, "build": [build], "file": [size], "peak": [_peak() / _GIB]}


def _timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = ask()
    return time.perf_counter() - start, found


def _peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    status = Path("/proc/self/status")
    if not status.exists():  # bytes on a Mac
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    word, *sizes = sys.argv[1:]
    parts = {"exact": exact, "memory": memory, "approximate": approximate}
    print(json.dumps(parts[word](*map(int, sizes))))
