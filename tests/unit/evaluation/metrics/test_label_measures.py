"""The report of labels, by hand and against figures of rows that are repeated as often as they are drawn."""

import json
import math

import numpy as np
import pytest

from lit_rec.evaluation.metrics import label_measures
from lit_rec.evaluation.metrics.label_measures import LabelMeasures
from lit_rec.evaluation.metrics.labels import accuracy, auc, log_loss, macro_f1
from lit_rec.evaluation.report.intervals import Drawn, row_weights
from lit_rec.evaluation.report.report import Report, build_report


def label_report(predictions, target, num_labels, slices, user, item):
    measures = [LabelMeasures(list(predictions.values()), target, num_labels)]
    return build_report(list(predictions), measures, slices, user, item)


def row_of(report, model, metric, slice="all"):
    return next(r for r in report.rows if (r.model, r.metric, r.slice) == (model, metric, slice))


def test_figures_by_hand():
    """Four rows of two users: 0, 1, 1, 1. The model is wrong in the last one, the baseline says 1 always."""
    prob = np.array([[0.8, 0.2], [0.4, 0.6], [0.1, 0.9], [0.7, 0.3]])
    predictions = {
        "lit_rec": prob,
        "majority": np.tile([0.25, 0.75], (4, 1)),
        "popularity": np.array([3.0, 3.0, 5.0, 1.0]),
    }
    user = np.array([0, 0, 1, 1])
    made = label_report(
        predictions, np.array([0, 1, 1, 1]), 2, {"all": np.ones(4, bool)}, user, np.arange(4)
    )
    assert [(row.model, row.metric) for row in made.rows] == [
        (model, metric)
        for model in predictions
        for metric in ("accuracy", "macro_f1", "log_loss", "auc", "accuracy_difference")
        if (model, metric) != ("lit_rec", "accuracy_difference")
    ]
    assert made.main == "accuracy"
    assert made.value("lit_rec") == made.value("majority") == 0.75
    assert made.value("majority", "accuracy_difference") == 0
    # of label 0 one of two predicted is right, of label 1 two of three asked for are found
    assert made.value("lit_rec", "macro_f1") == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert made.value("majority", "macro_f1") == pytest.approx((0 + 6 / 7) / 2)
    losses = -np.log([0.8, 0.6, 0.9, 0.3])
    assert made.value("lit_rec", "log_loss") == pytest.approx(losses.mean())
    assert made.value("majority", "log_loss") == pytest.approx(-math.log(0.25 * 0.75**3) / 4)
    assert [made.value(model, "auc") for model in predictions] == pytest.approx(
        [1, 0.5, (0.5 + 1 + 0) / 3]
    )
    # the model is right in all rows of user 0 and in half of those of user 1
    row = row_of(made, "lit_rec", "accuracy")
    assert (row.low, row.high, row.count) == (0.5, 1.0, 4)
    # the baseline in half of those of user 0 and in all of user 1: its difference goes from -0.5 to 0.5
    row = row_of(made, "majority", "accuracy_difference")
    assert (row.value, row.low, row.high) == (0.0, -0.5, 0.5)


def test_model_that_only_scores_has_auc_alone(tmp_path):
    prob = np.array([[0.8, 0.2], [0.4, 0.6]])
    made = label_report(
        {"lit_rec": prob, "popularity": np.array([1.0, 2.0])},
        np.array([0, 1]),
        2,
        {"all": np.ones(2, bool)},
        np.arange(2),
        np.arange(2),
    )
    made.write(tmp_path / "report.json")
    assert Report.read(tmp_path / "report.json") == made
    content = json.loads((tmp_path / "report.json").read_text())["rows"]
    found = {row["metric"]: row for row in content if row["model"] == "popularity"}
    assert found.pop("auc")["value"] == 1
    assert list(found) == ["accuracy", "macro_f1", "log_loss", "accuracy_difference"]
    for row in found.values():
        assert row["value"] is row["low"] is row["high"] is None
    popularity = str(made).splitlines()[-2]
    assert popularity.replace("│", " ").split() == ["popularity", "-"]


def made_up(labels, rows=60):
    chance = np.random.default_rng(labels)
    predictions = {
        "lit_rec": chance.dirichlet(np.ones(labels), rows),
        "majority": np.tile(chance.dirichlet(np.ones(labels)), (rows, 1)),
        "other": chance.dirichlet(np.ones(labels) / 2, rows).round(1),
    }
    user, item = chance.integers(0, 7, rows), chance.integers(0, 9, rows)
    return predictions, chance.integers(0, labels, rows), user, item


@pytest.mark.parametrize("labels", [2, 4])
@pytest.mark.parametrize("slice", ["all", "new_items"])
def test_intervals_are_those_of_repeated_rows(labels, slice):
    """Users are drawn, on new_items items as well; all models meet the same draws."""
    predictions, target, user, item = made_up(labels)
    mask = np.arange(60) % 3 > 0
    made = label_report(predictions, target, labels, {slice: mask}, user, item)
    metrics = {
        "accuracy": accuracy,
        "macro_f1": lambda prob, of: macro_f1(prob.argmax(1), of, labels),
        "log_loss": log_loss,
    }
    if labels == 2:
        metrics["auc"] = lambda prob, of: auc(prob[:, 1], of == 1)
    drawn = Drawn(user[mask], item[mask] if slice == "new_items" else None)
    repeats = [np.repeat(np.flatnonzero(mask), w.astype(int)) for w in row_weights(drawn)]
    for metric, measure in metrics.items():
        draws = np.array(
            [[measure(p[rows], target[rows]) for rows in repeats] for p in predictions.values()]
        )
        for model, values in zip(predictions, draws, strict=True):
            row = row_of(made, model, metric, slice)
            assert row.value == pytest.approx(measure(predictions[model][mask], target[mask]))
            bounds = np.nanquantile(values, [0.025, 0.975])
            assert (row.low, row.high) == pytest.approx(tuple(bounds))
        if metric == "accuracy":
            row = row_of(made, "other", "accuracy_difference", slice)
            bounds = np.nanquantile(draws[0] - draws[2], [0.025, 0.975])
            assert (row.low, row.high) == pytest.approx(tuple(bounds))
            assert row.value == pytest.approx(
                made.value("lit_rec", slice=slice) - made.value("other", slice=slice)
            )


def test_rows_are_drawn_where_there_are_no_users():
    """Four rows, one of them right: 0 to 3 of them in 95 % of the draws of four."""
    prob = np.array([[0.9, 0.1]] * 4)
    made = label_report(
        {"lit_rec": prob},
        np.array([1, 1, 1, 0]),
        2,
        {"all": np.ones(4, bool)},
        np.arange(4),
        np.arange(4),
    )
    row = row_of(made, "lit_rec", "accuracy")
    assert (row.value, row.low, row.high) == (0.25, 0.0, 0.75)


def test_auc_of_too_many_rows_has_no_interval(monkeypatch):
    predictions, target, user, item = made_up(2)
    slices = {"all": np.ones(60, bool), "new_users": np.arange(60) < 20}
    monkeypatch.setattr(label_measures, "AUC_ROWS", 20)
    made = label_report(predictions, target, 2, slices, user, item)
    row = row_of(made, "lit_rec", "auc")
    assert (row.low, row.high) == (None, None)
    assert row.value == pytest.approx(auc(predictions["lit_rec"][:, 1], target == 1))
    assert row_of(made, "lit_rec", "auc", "new_users").low is not None
    assert row_of(made, "lit_rec", "accuracy").low is not None


def test_slice_of_one_label_has_no_auc_and_a_slice_without_rows_no_value():
    predictions, target, user, item = made_up(2)
    slices = {"new_users": target == 1, "few_shot_users": np.zeros(60, bool)}
    made = label_report(predictions, target, 2, slices, user, item)
    row = row_of(made, "lit_rec", "auc", "new_users")
    assert (row.value, row.low, row.high, row.count) == (None, None, None, (target == 1).sum())
    assert row_of(made, "lit_rec", "accuracy", "new_users").low is not None
    empty = [row for row in made.rows if row.slice == "few_shot_users"]
    assert len(empty) == len(made.rows) / 2
    assert {(row.value, row.low, row.high, row.count) for row in empty} == {(None, None, None, 0)}


def test_more_than_two_labels_have_no_auc():
    predictions, target, user, item = made_up(4)
    made = label_report(predictions, target, 4, {"all": np.ones(60, bool)}, user, item)
    assert "auc" not in {row.metric for row in made.rows}


def test_table_shows_the_accuracy():
    predictions, target, user, item = made_up(2)
    made = label_report(predictions, target, 2, {"all": np.ones(60, bool)}, user, item)
    shown = str(made)
    assert "Accuracy on test rows [95 % interval]" in shown
    assert "(60 rows)" in shown
    row = row_of(made, "lit_rec", "accuracy")
    assert f"{row.value:.4f} [{row.low:.4f}, {row.high:.4f}]" in shown
