"""tools/benchmark quality few-labels: which runs are made, each way on the same draws."""

from __future__ import annotations

import pytest

from lit_rec.evaluation.report.report import Report, ReportRow
from tools.benchmarks.quality import few_labels


@pytest.fixture
def made(monkeypatch):
    """The runs that are asked for; what they would find is made up."""
    asked = []

    def report_of(run, folder):
        asked.append(run)
        return Report((ReportRow("lit_rec", "all", "accuracy", 0.9, None, None, 1),)), 1.0

    monkeypatch.setattr(few_labels, "report_of", report_of)
    monkeypatch.setattr(few_labels, "check_data", lambda data, file: None)
    monkeypatch.setattr(few_labels, "side_by_side", lambda name, runs, found, folder: [])
    return asked


def test_the_encoder_is_pretrained_first_and_begins_two_of_the_ways(made, tmp_path):
    few_labels.measure(tmp_path, tmp_path / "runs", quick=False)
    first, *others = made
    assert first.config == "configs/pretrain_banking77.yaml"
    assert len(others) == 5 * len(few_labels.WAYS) == len({run.name for run in others})
    checkpoint = tmp_path / "runs/few-labels" / first.name / "version_0/best.ckpt"
    for run in others:
        way, _, draw = run.name.partition("/")
        started = f"--model.start_from={checkpoint}" in run.words
        assert started == way.startswith("pretrained")
        assert ("--trainer.callbacks+=SelfTraining" in run.words) == ("self_training" in way)
        assert f"--data.split.init_args.seed={draw[-1]}" in run.words
    seeds = {run.name: run.words[: len(others[0].words)] for run in others[:5]}
    assert len(set(seeds.values())) == 5


def test_quick_is_one_draw(made, tmp_path):
    few_labels.measure(tmp_path, tmp_path / "runs", quick=True)
    assert len(made) == 1 + len(few_labels.WAYS)
    assert all("--trainer.limit_train_batches=3" in run.words for run in made)
