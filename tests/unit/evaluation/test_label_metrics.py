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

from lit_rec.evaluation.metrics.labels import (
    accuracy,
    auc,
    auc_of_levels,
    log_loss,
    macro_f1,
    score_levels,
)

THREE = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1], [0.2, 0.4, 0.4]])


def made_up(labels, rows):
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
    prob, target = made_up(labels, 50)
    asked, told = torch.from_numpy(target), torch.from_numpy(prob)
    assert accuracy(prob, target) == pytest.approx(
        float(multiclass_accuracy(told, asked, labels, average="micro"))
    )
    assert macro_f1(prob.argmax(1), target, labels) == pytest.approx(
        float(multiclass_f1_score(told, asked, labels, average="macro"))
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
