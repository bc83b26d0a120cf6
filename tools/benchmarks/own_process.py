"""Run a measurement of tools/benchmark in a process of its own, and make its table row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

_ROOT = Path(__file__).parents[2]


def measured(module: str, *words: object) -> dict[str, Any]:
    """Return what a module of this folder prints as JSON on its last line, and the ``seconds`` that it took.

    Args:
        module: Its name within this folder, such as ``scale.process``.
        words: Its arguments.
    """
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", f"tools.benchmarks.{module}", *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "seconds": time.perf_counter() - started}


def row(name: str, metric: str, values: list[float], seconds: float) -> dict[str, Any]:
    """Return a row of a benchmark: the median of the values, and their extremes."""
    return {
        "name": name,
        "metric": metric,
        "value": median(values),
        "low": min(values),
        "high": max(values),
        "seeds": 1,
        "seconds": seconds,
    }
