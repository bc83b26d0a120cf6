"""Ways side by side: means and paired differences of draws, parameters from the optimizer's moments."""

import json

import pytest
import torch

from lit_rec.evaluation.report.report import Report, ReportRow
from tools.benchmarks.quality.configurations import QUALITY
from tools.benchmarks.quality.guards import GUARDS
from tools.benchmarks.quality.runs import Run
from tools.benchmarks.quality.side_by_side import side_by_side
from tools.benchmarks.quality.tuning_methods import WAYS


def report(accuracy):
    models = {"lit_rec": accuracy, "majority": 0.1}
    rows = (ReportRow(m, "all", "accuracy", value, None, None, 10) for m, value in models.items())
    return Report(tuple(rows))


def finish(runs, folder):
    """Write what runs leave behind."""
    moments = {0: {"exp_avg": torch.zeros(2, 3)}, 1: {"exp_avg": torch.zeros(4)}}
    for place, run in enumerate(runs):
        version = folder / run.name / "version_0"
        version.mkdir(parents=True)
        torch.save({"optimizer_states": [{"state": moments}]}, version / "best.ckpt")
        stored = {"peak": 1.0 + place, "processor": 7.0}
        (version.parent / "key.json").write_text(json.dumps(stored))


def test_each_way_is_compared_with_the_first_on_the_same_draws(tmp_path):
    runs = [Run(f"{way}/draw_{d}", "x.yaml") for way in ("full", "lora") for d in range(3)]
    finish(runs, tmp_path)
    found = [(report(a), 10.0) for a in (0.80, 0.82, 0.84, 0.81, 0.84, 0.87)]
    rows = {(r["name"], r["metric"]): r for r in side_by_side("t", runs, found, tmp_path)}
    difference = rows["t: lora", "accuracy - full"]
    assert difference["value"] == pytest.approx(0.02)
    # by hand: differences .01 .02 .03, deviation .01, quantile 4.303 of two degrees of freedom
    assert difference["high"] - 0.02 == pytest.approx(4.3027 * 0.01 / 3**0.5, rel=1e-4)
    assert rows["t: lora", "accuracy"]["value"] == pytest.approx(0.84)
    assert rows["t: full", "trained parameters"]["value"] == 10
    assert rows["t: lora", "peak memory, GB"]["value"] == 5.0
    assert rows["t: lora", "processor seconds of training"]["value"] == 7.0
    assert rows["t: majority", "accuracy"]["value"] == pytest.approx(0.1)


def test_a_way_of_fewer_draws_is_compared_on_those(tmp_path):
    runs = [Run(f"{way}/draw_{d}", "x.yaml") for way, d in (("a", 0), ("a", 1), ("b", 1))]
    finish(runs, tmp_path)
    found = [(report(a), 10.0) for a in (0.2, 0.5, 0.6)]
    rows = {(r["name"], r["metric"]): r for r in side_by_side("t", runs, found, tmp_path)}
    assert rows["t: b", "accuracy - a"]["value"] == pytest.approx(0.1)
    assert [rows[f"t: {way}", "accuracy"]["seeds"] for way in "ab"] == [2, 1]


@pytest.mark.parametrize(
    ("name", "ways", "draws", "more", "first"),
    [
        ("tuning-methods", WAYS, 3, {}, "full"),
        ("guards", GUARDS, 3, {"plain": 5, "together": 5}, "plain"),
    ],
)
def test_all_ways_have_their_draws(tmp_path, name, ways, draws, more, first):
    runs = QUALITY[name].runs(tmp_path)
    planned = [f"{way}/draw_{d}" for way in ways for d in range(more.get(way, draws))]
    assert [run.name for run in runs] == planned
    assert next(iter(ways)) == first
