"""The peak memory of a training step as its batch grows: tools/benchmark scale memory.

It compares a step of 256 rows with one of 8,192 rows, from a table of 10^5 items. The table is made up and the encoder
is random, so nothing has to be downloaded. Every measurement has a separate process, so that its peak is its own.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tools.benchmarks.own_process import measured, row
from tools.benchmarks.scale.tables import made_up_tables

_FEW, _MANY = 256, 8_192  # rows of a batch

_measured = partial(measured, "scale.process")


def measure(rows: int, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        rows: Behaviors of the table.
        quick: An encoder of two layers and width 32 instead of one of all-MiniLM-L6-v2's size, whose steps take
            minutes.
    """
    encoder = "small" if quick else "minilm"
    with made_up_tables(rows, "parquet") as folder:
        _measured("prepare", folder)
        few, many = (_measured("step", folder, encoder, str(size)) for size in (_FEW, _MANY))
    found = []
    for size, one in ((_FEW, few), (_MANY, many)):
        name = f"batch of {size:,} rows"
        found.append(row(name, "peak above idle, GiB", [one["above"]], one["seconds"]))
        found.append(row(name, "distinct items", [one["items"]], one["seconds"]))
    ratio = many["above"] / few["above"]
    return [*found, row(f"{_MANY:,} / {_FEW:,} rows", "peak, ratio", [ratio], many["seconds"])]
