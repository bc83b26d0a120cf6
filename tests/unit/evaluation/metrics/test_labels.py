"""Metrics of labels against other libraries, and their report against rows repeated as often as they are drawn."""

import json
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from sklearn.metrics import log_loss as sklearn_log_loss
from torchmetrics.functional.classification import (
    binary_auroc,
    multiclass_accuracy,
    multiclass_f1_score,
)

from lit_rec.evaluation.metrics import labels
from lit_rec.evaluation.metrics.labels import (
    LabelMeasures,
    accuracy,
    auc,
    auc_of_levels,
    log_loss,
    macro_f1,
    score_levels,
)
from lit_rec.evaluation.report.intervals import Drawn, row_weights
from lit_rec.evaluation.report.report import Report, build_report

THREE = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.2, 0.4, 0.4]])


def made_up_probs(labels, rows):
    chance = np.random.default_rng(labels)
    return chance.dirichlet(np.ones(labels), rows), chance.integers(0, labels, rows)


def test_metrics_by_hand():
    """Predicted 0, 2, 0 and, of two equal ones, 1; asked for are 0, 2, 1, 1."""
    target = np.array([0, 2, 1, 1])
    assert accuracy(THREE, target) == 3 / 4
    assert log_loss(THREE, target) == pytest.approx(-math.log(0.5 * 0.7 * 0.3 * 0.4) / 4)
    # label 0: 1 of 2 predicted and 1 of 1 asked for; label 1: 1 of 1 and 1 of 2; label 2: perfect
    assert macro_f1(THREE.argmax(1), target, 3) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_metrics_equal_those_of_torchmetrics_and_scikit_learn(labels):
    prob, target = made_up_probs(labels, 50)
    true, prob_tensor = torch.from_numpy(target), torch.from_numpy(prob)
    assert accuracy(prob, target) == pytest.approx(
        float(multiclass_accuracy(prob_tensor, true, labels, average="micro"))
    )
    assert macro_f1(prob.argmax(1), target, labels) == pytest.approx(
        float(multiclass_f1_score(prob_tensor, true, labels, average="macro"))
    )
    assert log_loss(prob, target) == pytest.approx(
        sklearn_log_loss(target, prob, labels=range(labels))
    )


def test_label_that_no_row_has_or_is_given_is_not_in_the_macro_f1():
    """Of labels 0 to 4, 1 is only predicted (F1 0), 2 only asked for (F1 0), 3 and 4 are neither."""
    predicted, target = np.array([0, 1, 0]), np.array([0, 0, 2])
    expected = (2 * 1 / (2 + 2) + 0 + 0) / 3
    assert macro_f1(predicted, target, 5) == pytest.approx(expected)
    assert f1_score(target, predicted, average="macro") == pytest.approx(expected)


@pytest.mark.parametrize("levels", [3, 1000])
def test_auc_equals_that_of_torchmetrics(levels):
    """With many ties and with next to none."""
    chance = np.random.default_rng(levels)
    score, positive = chance.integers(0, levels, 80) / levels, chance.random(80) < 0.3
    expected = binary_auroc(torch.from_numpy(score), torch.from_numpy(positive).long())
    assert auc(score, positive) == pytest.approx(float(expected))


def test_weight_of_a_row_is_how_often_it_stands_there():
    chance = np.random.default_rng(0)
    score, positive = chance.integers(0, 5, 30).astype(float), chance.random(30) < 0.5
    times = chance.integers(0, 4, 30)
    repeated = auc(np.repeat(score, times), np.repeat(positive, times))
    assert auc_of_levels(score_levels(score), positive, times.astype(float)) == pytest.approx(
        repeated
    )


@pytest.mark.parametrize("positive", [[True, True], [False, False], []])
def test_auc_of_one_kind_of_rows_is_nan(positive):
    assert math.isnan(auc(np.arange(len(positive), dtype=float), np.array(positive, bool)))


def test_metrics_of_no_row_are_nan():
    none = np.empty(0, np.int64)
    assert math.isnan(accuracy(np.empty((0, 3)), none))
    assert math.isnan(log_loss(np.empty((0, 3)), none))
    assert math.isnan(macro_f1(none, none, 3))


def test_probability_that_float32_rounds_to_zero_is_no_endless_loss():
    assert log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(math.log(2) * 23)


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
    assert str(made).splitlines()[-1].split() == ["popularity", "-", "-"]


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
    monkeypatch.setattr(labels, "AUC_ROWS", 20)
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
    assert "Accuracy, 60 test rows" in shown
    row = row_of(made, "lit_rec", "accuracy")
    assert f"{row.value:.4f} ±{(row.high - row.low) / 2:.4f}" in shown
