"""Ways of tuning side by side: tools/benchmark quality tuning-methods.

Each way is trained on five draws of ten texts of each label of Banking77, at the rate that was best on validation rows
of draw 0, as far as several were tried (docs/notes/tuning.md). Beside its accuracy stand its trained
parameters, the processor time of training, its memory, and the mean difference from full tuning on the same draws with a
t-interval over the draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from scipy.stats import t as t_distribution

from lit_rec.evaluation.report.report import Report
from tools.benchmarks.quality.runs import Run, peak_of, processor_seconds_of

_TUNING = "--model.network.init_args.item_encoder.init_args.backbone.init_args.tuning"


def _way(kind: str, rate: float, **options: object) -> tuple[str, ...]:
    chosen = (f"{_TUNING}.init_args.{name}={value}" for name, value in options.items())
    return (f"{_TUNING}={kind}", *chosen, f"--model.encoder_rate={rate}")


_IN_ATTENTION = {"targets": "attention", "dropout": 0.1}

# the first is the one that the others are compared with
WAYS = {
    "full": _way("FullTuning", 5e-5),
    "top_3_layers": _way("TopLayersTuning", 5e-5, layers=3),
    "lora": _way("LoraTuning", 1e-3, **_IN_ATTENTION),
    "lora_everywhere": _way("LoraTuning", 2e-3),
    "lora_top_3_layers": _way("LoraTuning", 5e-4, layers=3),
    "dora": _way("LoraTuning", 1e-3, **_IN_ATTENTION, dora="true"),
    "adalora": _way("AdaLoraTuning", 1e-3, **_IN_ATTENTION),
    "bottleneck": _way("BottleneckTuning", 3e-3, size=16),
    "ia3": _way("IA3Tuning", 5e-3),
    "biases": _way("BitFitTuning", 4e-3),
    "norms": _way("LayerNormTuning", 3e-3),
    "prefix": _way("PrefixTuning", 3e-2),
    "prompt": _way("PromptTuning", 5e-2),
    "frozen": _way("FrozenTuning", 0.0),
}


def trained_parameters(checkpoint: Path) -> int:
    """Return how many numbers of the encoder and the head were trained: those that the optimizer has moments of.

    Args:
        checkpoint: With the state of training.
    """
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return sum(
        moments["exp_avg"].numel()
        for optimizer in content["optimizer_states"]
        for moments in optimizer["state"].values()
    )


def side_by_side(
    name: str, runs: Sequence[Run], found: Sequence[tuple[Report, float]], folder: Path
) -> list[dict[str, Any]]:
    """Return the rows of all ways.

    Args:
        name: Of the benchmark.
        runs: Named ``WAY/DRAW``, the same draws of each way.
        found: The report of each run, and its seconds.
        folder: Of the benchmark.
    """
    ways: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        ways.setdefault(run.name.rpartition("/")[0], []).append(place)
    accuracy = {
        way: [found[p][0].value("lit_rec") or 0.0 for p in places] for way, places in ways.items()
    }
    first, *_ = accuracy.values()
    rows = []
    for way, places in ways.items():
        seconds = [found[place][1] for place in places]
        its_runs = [runs[place] for place in places]
        best = [folder / runs[place].name / "version_0/best.ckpt" for place in places]
        figures = {
            "accuracy": accuracy[way],
            "accuracy - full": [a - b for a, b in zip(accuracy[way], first, strict=True)],
            "trained parameters": [trained_parameters(path) for path in best[:1]],
            "processor seconds of training": [processor_seconds_of(r, folder) for r in its_runs],
            "peak memory, GB": [peak_of(run, folder) for run in its_runs],
        }
        rows += [_row(name, way, metric, of, sum(seconds)) for metric, of in figures.items()]
    return rows


def _row(
    name: str, way: str, metric: str, values: Sequence[float], seconds: float
) -> dict[str, Any]:
    value, count = fmean(values), len(values)
    away = None
    if count > 1:
        away = float(t_distribution.ppf(0.975, count - 1)) * stdev(values) / math.sqrt(count)
    return {
        "name": f"{name}: {way}",
        "metric": metric,
        "value": value,
        "low": None if away is None else value - away,
        "high": None if away is None else value + away,
        "seeds": count,
        "seconds": seconds,
    }
