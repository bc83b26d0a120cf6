"""What the report of ratings is made of: baselines within the range of ratings, and those that need no user."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch

from lit_rec.data.targets.rating import RatingTarget
from lit_rec.evaluation.baselines.ratings import Baseline
from lit_rec.evaluation.report.report import Report
from lit_rec.tasks import rating, registry
from lit_rec.training.callbacks import score_writers
from lit_rec.training.callbacks.score_writers import ReportWriter


class LinearBaseline(Baseline):
    """Predict ten times the item's code."""

    name = "linear"

    def fit(self, train, num_users, num_items):
        pass

    def predict(self, user, item, history):
        return 10.0 * item


def toy_ratings(user_ids):
    """Two rows that train and three that test; one test rating of 5 lies outside the 2 to 4 of the training rows."""
    prepared = SimpleNamespace(
        user=np.array([0, 0, 1, 1, 1]),
        item=np.array([0, 1, 0, 1, 2]),
        rating=np.array([2.0, 4.0, 3.0, 4.0, 5.0]),
        timestamp=np.full(5, np.nan),
        user_ids=["a", "b"],
        items=pl.DataFrame({"item_id": ["x", "y", "z"]}),
        rows_of=lambda part: {"train": np.array([0, 1])}[part],
    )
    nothing = np.zeros((3, 1), np.int64)
    empty = SimpleNamespace(source=nothing - 1, item=nothing, mask=nothing > 0)
    return SimpleNamespace(
        prepared=prepared,
        facts=SimpleNamespace(task="rating", rating_range=(2.0, 4.0), user_ids=user_ids),
        history=SimpleNamespace(bind=lambda prepared: SimpleNamespace(of=lambda rows: empty)),
    )


def trainer_of(data):
    return SimpleNamespace(
        datamodule=data, is_global_zero=True, loggers=[], callback_metrics={}, global_step=0
    )


def module_of():
    return SimpleNamespace(new_network=None, device=None, loaded_step=None)


def test_baselines_are_cut_to_the_range_of_the_training_ratings(tmp_path, monkeypatch):
    """Of 0, 10 and 20, cut to 2 to 4."""
    data = toy_ratings(("a",))
    monkeypatch.setattr(rating, "baselines", lambda data, vectors, trial: [LinearBaseline()])
    monkeypatch.setattr(score_writers, "readable_frozen_vectors", lambda *about: None)
    monkeypatch.setattr(score_writers, "run_folder", lambda trainer: tmp_path)
    monkeypatch.setattr(score_writers, "_about", lambda *about: {})
    trainer = trainer_of(data)
    writer, module = ReportWriter(), module_of()
    writer.on_test_start(trainer, module)
    batch = SimpleNamespace(row=torch.tensor([4, 2, 3]))
    writer.on_test_batch_end(trainer, module, torch.tensor([[4.0], [3.0], [4.0]]), batch, 0)
    writer.on_test_end(trainer, module)
    report = Report.read(tmp_path / "report.json")
    assert report.value("lit_rec", "mae") == pytest.approx(1 / 3)
    # 2, 4, 4 for 3, 4, 5
    assert report.value("linear", "mae") == pytest.approx(2 / 3)
    assert report.value("linear", "rmse") == pytest.approx(np.sqrt(2 / 3))
    assert {row.slice for row in report.rows} == {
        "all",
        "new_users",
        "few_shot_users",
        "new_items",
    }


@pytest.mark.parametrize("with_vectors", [False, True])
def test_without_users_rows_are_drawn_and_no_baseline_knows_users(with_vectors):
    vectors = np.eye(3) if with_vectors else None
    report = rating.rating_report(toy_ratings(()), np.arange(2, 5), np.array([4.0, 3, 4]), vectors)
    names = ["lit_rec", "mean", *(["text_ridge"] if with_vectors else [])]
    assert list(dict.fromkeys(row.model for row in report.rows)) == names
    assert {row.slice for row in report.rows} == {"all"}
    row = report.rows[0]
    assert (row.value, row.low, row.high) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("with_vectors", [False, True])
def test_baselines_of_users(with_vectors):
    vectors = np.eye(3) if with_vectors else None
    found = [baseline.name for baseline in rating.baselines(toy_ratings(("a",)), vectors, None)]
    frozen = ["text_knn", "text_ridge"]
    plain = ["mean", "user_item_bias", "history_bias", "item_knn", "matrix_factorisation"]
    assert found == [*plain, *(frozen if with_vectors else []), "blend"]


def test_report_is_that_of_the_task(tmp_path, monkeypatch):
    """It is handed the rows, what was predicted of them, and the frozen vectors."""
    vectors = np.eye(2)

    class Weighed(registry.RatingTask):
        def report(self, data, rows, predicted, vectors):
            return Report((), {"made": [*rows.tolist(), predicted.shape, vectors.tolist()]})

    monkeypatch.setitem(registry._TASKS, RatingTarget.name, Weighed())
    monkeypatch.setattr(score_writers, "readable_frozen_vectors", lambda *about: vectors)
    monkeypatch.setattr(score_writers, "run_folder", lambda trainer: tmp_path)
    monkeypatch.setattr(score_writers, "_about", lambda *about: {})
    trainer = trainer_of(SimpleNamespace(facts=SimpleNamespace(task="rating")))
    writer, module = ReportWriter(), module_of()
    writer.on_test_start(trainer, module)
    writer.write(trainer, module, np.array([4, 7]), np.zeros((2, 3)))
    made = Report.read(tmp_path / "report.json").meta["made"]
    assert made == [4, 7, [2, 3], [[1.0, 0.0], [0.0, 1.0]]]
