"""The best ten of a catalogue, by both indexes and by a plain product: tools/benchmark speed index.

The exact index is compared with the plain product, the approximate index with both.

Vectors are made up: a mixture of 2,000 topics, each within one of 64 themes. An item's vector is 0.6 theme + 0.6 topic
+ 0.6 noise, all three Gaussian and of length about 1, times a length exp(0.3 z) with z Gaussian, as biases and popular
items make vectors longer; 384 coordinates, float32. Users are drawn from the same mixture. 1,000,000 items and 1,000
users, or 20,000 and 200 with --quick.

`exact` takes the users in blocks of 100: each block first by `scores = users @ items.T; scores.topk(10)`, which stores
a score for every item, then by `ExactIndex.search`. The ratio is that of their seconds; its low and high are the
extremes over the blocks. `memory` is the peak of a process that only runs `ExactIndex.search`, vectors included.
`approximate` searches for one user at a time, with its defaults, against the same plain product and `ExactIndex`;
recall@10 is the share of the exact ten that is found. Every part has a separate process.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib.util import find_spec
from typing import Any

from tools.benchmarks.own_process import measured, row

_FULL, _QUICK = (1_000_000, 1_000), (20_000, 200)  # items and users

_measured = partial(measured, "speed.index_process")


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        quick: 20,000 items instead of a million.
    """
    items, users = _QUICK if quick else _FULL
    exact, memory = (_measured(part, items, users) for part in ("exact", "memory"))
    name = f"exact, {items:,} items"
    rows = [
        _row(name, "plain, ms per user", exact["plain"], exact),
        _row(name, "ExactIndex, ms per user", exact["index"], exact),
        _row(name, "ExactIndex / plain, ratio", exact["ratio"], exact),
        _row(name, "equal lists, share", exact["equal"], exact),
        _row(name, "peak memory, GiB", memory["peak"], memory),
    ]
    if find_spec("faiss") is None:
        print("the approximate index is left out: pip install 'lit_rec[index]'", file=sys.stderr)
        return rows
    near = _measured("approximate", items, users)
    name = f"approximate, {items:,} items"
    return [
        *rows,
        _row(name, "build, s", near["build"], near),
        _row(name, "file, GiB", near["file"], near),
        _row(name, "ms per user", near["index"], near),
        _row(name, "recall@10", near["recall"], near),
        _row(name, "plain / approximate, ratio", near["plain_ratio"], near),
        _row(name, "ExactIndex / approximate, ratio", near["exact_ratio"], near),
        _row(name, "peak memory, GiB", near["peak"], near),
    ]


def _row(name: str, metric: str, values: list[float], of: dict[str, Any]) -> dict[str, Any]:
    found = row(name, metric, values, of["seconds"])
    # a median of shares says little
    return found | {"value": sum(values) / len(values)} if metric == "recall@10" else found
