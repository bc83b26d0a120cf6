"""The validation error of the plain loop (plain_loop.py) after an epoch: tools/benchmark speed plain.

`speed reach` compares with it. It is done once. Its encoder computes in bfloat16 if that is faster on this machine;
the record says which. A call ends after at most forty minutes and prints its progress; the next call goes on from
there. The finished run is written to `tools/benchmarks/speed/plain_loop_epoch.json`.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch

from lit_rec.files.atomic import replace_file
from tools.benchmarks.own_process import row
from tools.benchmarks.speed.configured import configured
from tools.benchmarks.speed.machine_rate import fast_dtype
from tools.benchmarks.speed.plain_loop import PlainLoop

RECORD = Path(__file__).with_name("plain_loop_epoch.json")
_CONFIG = Path("configs/movielens_u1.yaml")
_SECONDS = 2400.0  # of a call
_EVERY = 50  # steps between two looks at the clock
_QUICK = 3  # steps


def measure(data: Path, folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder that holds ml-100k.
        folder: Folder of an unfinished run.
        quick: Three steps, to see that it works; nothing of them is stored.
    """
    started = time.perf_counter()
    torch.manual_seed(0)
    datamodule, module = configured(_CONFIG, data / "ml-100k")
    dtype = fast_dtype(module.built().backbone.config, 2048)
    loop, spent = PlainLoop(datamodule, dtype), 0.0
    at = folder / "plain_loop" / "state.pt"
    if at.is_file() and not quick:
        state = torch.load(at)
        loop.load(state)
        spent = state["seconds"]
    limit = _QUICK if quick else _EVERY
    while not loop.is_done and time.perf_counter() - started < _SECONDS:
        for _ in range(limit):
            if not loop.is_done:
                loop.step()
        if quick:
            break
        state = {**loop.state(), "seconds": spent + time.perf_counter() - started}
        replace_file(at, lambda path, state=state: torch.save(state, path))
    seconds = spent + time.perf_counter() - started
    found = [row("plain loop", "steps", [float(loop.steps)], seconds)]
    if loop.is_done or quick:
        rmse = loop.rmse(datamodule.prepared.rows_of("val")[: 100 if quick else None])
        found.append(row("plain loop", "val/rmse", [rmse], seconds))
    if loop.is_done and not quick:
        record = {"val_rmse": rmse, "steps": loop.steps, "seconds": seconds, "dtype": str(dtype)}
        replace_file(RECORD, lambda path: path.write_text(json.dumps(record, indent=1) + "\n"))
    return found
