"""The preparation time per row, and the time of the first hundred steps, as a table grows: tools/benchmark scale rows.

For a table and one ten times as large, with ten rows for each item and 25 for each user: microseconds per row to
prepare the data, seconds of the first hundred steps, and the peak memory. Tables are made up and the encoder is
random, so nothing has to be downloaded. Every measurement has a separate process, so that its peak is its own.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from functools import partial
from typing import Any

from tools.benchmarks.own_process import measured, row
from tools.benchmarks.scale.tables import made_up_tables

_STEPS = 100

_measured = partial(measured, "scale.process")


def measure(largest: int, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds; the values are medians over turns.

    Args:
        largest: Behaviors of the larger table; the smaller one has a tenth.
        quick: Ten steps and one turn instead of a hundred and three.
    """
    steps, turns = ("10", 1) if quick else (str(_STEPS), 3)
    sizes = (largest // 10, largest)
    found: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    with ExitStack() as stack:
        folders = [stack.enter_context(made_up_tables(size, "csv")) for size in sizes]
        for _ in range(turns):
            for size, folder in zip(sizes, folders, strict=True):
                shutil.rmtree(folder / "cache", ignore_errors=True)
                found[size].append(_measured("rows", folder, steps))
    rows = []
    for size, turned in found.items():
        name = f"{size:,} rows"
        for metric in ("prepare", "start of fit"):
            values = [one[metric] / size * 1e6 for one in turned]
            rows.append(_row(name, f"{metric}, µs/row", values, turned))
        rows.append(_row(name, f"{steps} steps, s", [one["steps"] for one in turned], turned))
        rows.append(_row(name, "peak memory, GiB", [one["peak"] for one in turned], turned))
    for metric, growth in (("prepare", 10), ("start of fit", 10), ("steps", 1)):
        # each turn measures both sizes, so that noise of the machine affects both
        pairs = zip(*found.values(), strict=True)
        ratios = [more[metric] / less[metric] / growth for less, more in pairs]
        word = "ratio" if metric == "steps" else "ratio per row"
        rows.append(_row("10 times the rows", f"{metric}, {word}", ratios, found[largest]))
    return rows


def _row(name: str, metric: str, values: list[float], of: list[dict[str, float]]) -> dict[str, Any]:
    return row(name, metric, values, sum(one["seconds"] for one in of))
