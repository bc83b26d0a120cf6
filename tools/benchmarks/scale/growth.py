"""What happens as tables and batches grow, on made-up tables and a random encoder; nothing has to be downloaded.

`scale rows`: the time of each row, from the files to what a run reads, and of the first hundred steps, for a table and
one ten times as large, with ten rows for each item and 25 for each user. `scale memory`: the peak memory of a training
step with 256 and with 8,192 rows, of 10^5 items. Every measurement is a process of its own, so that its peak is its
own.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tools.benchmarks.own_process import measured, row
from tools.benchmarks.scale.tables import write_tables

_ROWS_PER_ITEM = 10
_FEW, _MANY = 256, 8_192  # rows of a batch
_STEPS = 100

_measured = partial(measured, "scale.process")


def measure_rows(largest: int, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds; the values are medians over turns.

    Args:
        largest: Behaviors of the larger table; the smaller one has a tenth.
        quick: Ten steps and one turn instead of a hundred and three.
    """
    steps, turns = ("10", 1) if quick else (str(_STEPS), 3)
    sizes = (largest // 10, largest)
    found: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    with ExitStack() as stack:
        folders = [stack.enter_context(_tables(size, "csv")) for size in sizes]
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
        # each turn's two sizes stand beside each other, so that noise of the machine hits both
        pairs = zip(*found.values(), strict=True)
        ratios = [more[metric] / less[metric] / growth for less, more in pairs]
        word = "ratio" if metric == "steps" else "ratio per row"
        rows.append(_row("10 times the rows", f"{metric}, {word}", ratios, found[largest]))
    return rows


def measure_memory(rows: int, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        rows: Behaviors of the table.
        quick: An encoder of two layers and width 32 instead of one of the size of all-MiniLM-L6-v2, whose steps take
            minutes.
    """
    encoder = "small" if quick else "minilm"
    with _tables(rows, "parquet") as folder:
        _measured("prepare", folder)
        few, many = (_measured("step", folder, encoder, str(size)) for size in (_FEW, _MANY))
    found = []
    for size, one in ((_FEW, few), (_MANY, many)):
        name = f"batch of {size:,} rows"
        found.append(_row(name, "peak above idle, GiB", [one["above"]], [one]))
        found.append(_row(name, "distinct items", [one["items"]], [one]))
    ratio = many["above"] / few["above"]
    return [*found, _row(f"{_MANY:,} / {_FEW:,} rows", "peak, ratio", [ratio], [many])]


def _row(name: str, metric: str, values: list[float], of: list[dict[str, float]]) -> dict[str, Any]:
    return row(name, metric, values, sum(one["seconds"] for one in of))


@contextmanager
def _tables(rows: int, ending: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lit_rec_scale_") as folder:
        write_tables(Path(folder), rows, rows // _ROWS_PER_ITEM, ending)
        yield Path(folder)
