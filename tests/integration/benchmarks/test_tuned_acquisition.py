"""Rounds of active learning with runs: which rows are labelled, and that each checkpoint chooses of the others."""

import json
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from lit_rec.evaluation.report.report import Report, ReportRow
from tools.benchmarks.quality import tuned_acquisition
from tools.benchmarks.quality.tuned_acquisition import Simulation

ROWS = 100


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """The runs that are asked for, with the texts that trained each; a run's accuracy grows with them."""
    folder = tmp_path / "banking77"
    folder.mkdir()
    table = pl.DataFrame({"text": [f"text {row}" for row in range(ROWS)]})
    table = table.with_columns(category=pl.Series([f"label {row % 5}" for row in range(ROWS)]))
    table.write_csv(folder / "train.csv")
    asked = []

    def report_of(run, folder):
        version = folder / run.name / "version_0"
        version.mkdir(parents=True, exist_ok=True)
        asked.append(run)
        accuracy = len(texts_of(run)) / ROWS
        return Report((ReportRow("lit_rec", "all", "accuracy", accuracy, None, None, 1),)), 2.0

    def from_checkpoint(path):
        def choose(pool, count, strategy, *, seed):
            return SimpleNamespace(row=np.arange(len(pool))[::-1][:count])

        return SimpleNamespace(choose=choose)

    monkeypatch.setattr(tuned_acquisition, "report_of", report_of)
    monkeypatch.setattr(tuned_acquisition, "curve_of", lambda *of: [0.1, 0.5])
    monkeypatch.setattr(tuned_acquisition.Acquirer, "from_checkpoint", from_checkpoint)
    return asked


def texts_of(run, option="texts"):
    (path,) = (
        word.split("=", 1)[1] for word in run.words if word.startswith(f"--data.reader.{option}=")
    )
    return set(pl.read_csv(path)["text"])


def test_each_round_adds_rows_that_were_not_labelled(runs, tmp_path):
    found, seconds = Simulation(tmp_path, tmp_path / "runs", "margin", 0, ()).rounds(4)
    assert found == [[0.5, 0.1], [0.5, 0.2], [0.5, 0.3], [0.5, 0.4]]
    assert seconds == 8.0
    validation = texts_of(runs[0], "validation_texts")
    assert len(validation) == ROWS // 10
    labelled = [texts_of(run) for run in runs]
    for before, after in pairwise(labelled):
        assert before < after
        assert not after & validation
    rest = sorted(int(text.split()[1]) for text in labelled[-1] - labelled[0])
    # the fake chooses the last rows of what is left
    others = sorted({*range(ROWS)} - {int(t.split()[1]) for t in labelled[0] | validation})
    assert rest == others[-30:]


def test_strategies_begin_with_the_same_run_and_choose_once(runs, tmp_path):
    for strategy in ("margin", "random"):
        Simulation(tmp_path, tmp_path / "runs", strategy, 1, ()).rounds(2)
    assert [run.name for run in runs] == [
        "first/draw_1",
        "margin/draw_1/round_1",
        "first/draw_1",
        "random/draw_1/round_1",
    ]
    assert runs[0] == runs[2]
    stored = tmp_path / "runs/first/draw_1/version_0/chosen_margin.json"
    assert len(json.loads(stored.read_text())) == 10
    stored.write_text(json.dumps([0] * 10))
    Simulation(tmp_path, tmp_path / "runs", "margin", 1, ()).rounds(2)
    assert runs[-1].words != runs[1].words  # what was chosen is read, not chosen again
