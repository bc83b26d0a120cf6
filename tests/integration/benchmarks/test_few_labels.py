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
        # by the closed form: .8, and for the pretrained encoder .01 and .03 more
        closed = 0.8 + run.name.startswith("pretrained/") * (0.01 + 0.02 * ("draw_0" in run.name))
        found = {"lit_rec": 0.9, "logistic_regression": closed}
        rows = [ReportRow(m, "all", "accuracy", v, None, None, 1) for m, v in found.items()]
        return Report((*rows,)), 1.0

    monkeypatch.setattr(
        few_labels, "export_encoder", lambda checkpoint, output: output.mkdir(parents=True)
    )
    monkeypatch.setattr(few_labels, "report_of", report_of)
    monkeypatch.setattr(
        few_labels, "self_trained_accuracies", lambda data, draws: [0.85] * len(draws)
    )
    monkeypatch.setattr(few_labels, "check_data", lambda data, file: None)
    monkeypatch.setattr(few_labels, "side_by_side", lambda name, runs, found, folder: [])
    return asked


def test_the_encoder_is_pretrained_first_and_begins_two_of_the_ways(made, tmp_path):
    few_labels.measure(tmp_path, tmp_path / "runs", quick=False)
    first, *others = made
    assert first.config == "configs/pretrain_banking77.yaml"
    assert len(others) == 5 * len(few_labels.WAYS) == len({run.name for run in others})
    (encoder,) = (tmp_path / "runs/few-labels" / first.name).glob("encoder_*")
    for run in others:
        way, _, draw = run.name.partition("/")
        started = f"--data.encoder={encoder}" in run.words
        assert started == way.startswith("pretrained")
        assert ("--trainer.callbacks+=SelfTraining" in run.words) == ("self_training" in way)
        assert f"--data.split.init_args.seed={draw[-1]}" in run.words
    seeds = {run.name: run.words[: len(others[0].words)] for run in others[:5]}
    assert len(set(seeds.values())) == 5


def test_the_closed_form_is_shown_for_both_encoders(made, tmp_path):
    rows = few_labels.measure(tmp_path, tmp_path / "runs", quick=False)
    found = {(row["name"].partition(": ")[2], row["metric"]): row for row in rows}
    closed = "logistic_regression, pretrained"
    assert found[closed, "accuracy"]["value"] == pytest.approx(0.814)
    difference = found[closed, "accuracy - plain"]
    assert difference["value"] == pytest.approx(0.014)
    # by hand: .03 and four of .01 deviate by .00894; the quantile of four degrees of freedom is 2.776
    assert difference["high"] - 0.014 == pytest.approx(2.776 * 0.008944 / 5**0.5, rel=1e-3)
    closed = "logistic_regression, self-trained"
    assert found[closed, "accuracy - plain"]["value"] == pytest.approx(0.05)
    assert found["self_training", f"accuracy - {closed}"]["value"] == pytest.approx(0.05)


def test_quick_is_one_draw(made, tmp_path):
    few_labels.measure(tmp_path, tmp_path / "runs", quick=True)
    assert len(made) == 1 + len(few_labels.WAYS)
    assert all("--trainer.limit_train_batches=3" in run.words for run in made)
