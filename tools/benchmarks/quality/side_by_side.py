"""Runs of several ways on the same draws, side by side, for tools/benchmark quality.

Beside a way's figure stand its trained parameters, the processor time of training, its memory, and the mean difference
from the first way on the draws that both have. Intervals are t-intervals over the draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lit_rec.evaluation.report.report import Report
from tools.benchmarks.quality.draws import row_of_draws
from tools.benchmarks.quality.runs import Run, peak_of, processor_seconds_of
from tools.benchmarks.written_results import PROCESSOR_SECONDS


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
    """Return the rows of all ways, and of the baselines, which are the same for each way.

    Args:
        name: Of the benchmark.
        runs: Named ``WAY/DRAW``; the first way has all draws, the others the same or fewer.
        found: The report of each run, and its seconds.
        folder: Of the benchmark.
    """
    ways: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        ways.setdefault(run.name.rpartition("/")[0], []).append(place)
    main = found[0][0].main
    first, *_ = ways
    values: dict[str, dict[str, float]] = {way: {} for way in ways}
    for run, (report, _) in zip(runs, found, strict=True):
        way, _, draw = run.name.rpartition("/")
        values[way][draw] = _value(report, "lit_rec")
    rows = []
    for way, places in ways.items():
        seconds = [found[place][1] for place in places]
        its_runs = [runs[place] for place in places]
        best = [folder / runs[place].name / "version_0/best.ckpt" for place in places]
        figures = {
            main: list(values[way].values()),
            f"{main} - {first}": [
                value - values[first][draw] for draw, value in values[way].items()
            ],
            "trained parameters": [trained_parameters(path) for path in best[:1]],
            PROCESSOR_SECONDS: [processor_seconds_of(r, folder) for r in its_runs],
            "peak memory, GB": [peak_of(run, folder) for run in its_runs],
        }
        rows += [
            row_of_draws(f"{name}: {way}", metric, of, sum(seconds))
            for metric, of in figures.items()
        ]
    reports = [found[place][0] for place in ways[first]]
    baselines = {row.model: None for row in reports[0].rows if row.metric == main}
    del baselines["lit_rec"]
    return rows + [
        row_of_draws(f"{name}: {b}", main, [_value(report, b) for report in reports], 0.0)
        for b in baselines
    ]


def _value(report: Report, model: str) -> float:
    return report.value(model) or 0.0
