"""Logistic regression on frozen text, beside that of scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines import logistic_regression
from lit_rec.evaluation.baselines.logistic_regression import LogisticRegressionBaseline
from lit_rec.evaluation.metrics.labels import log_loss
from lit_rec.models.linear import softmax_regression
from lit_rec.models.linear.softmax_regression import INVERSE_PENALTIES


def made_up(rows, width, labels, seed=0, strength=4.0):
    """Unit vectors with axes of unequal spread, and labels drawn by a linear rule."""
    chance = np.random.default_rng(seed)
    vectors = chance.normal(0.3, 1, (rows, width)) * np.linspace(1, 0.05, width)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = strength * vectors @ chance.normal(size=(width, labels))
    return vectors, (scores + chance.gumbel(size=scores.shape)).argmax(1)


def rows_of(item, label):
    return LabelRows(np.zeros(len(item), np.int64), np.array(item), np.array(label))


def predicted(baseline, item):
    none = np.empty(0, np.int64)
    nothing = SharedHistory(np.zeros(2, np.int64), none, np.zeros(len(item), np.int64))
    return baseline.predict(np.array(item), nothing)


def fitted(vectors, train, labels, options=INVERSE_PENALTIES):
    baseline = LogisticRegressionBaseline(vectors, options)
    baseline.fit(train, len(vectors), labels)
    return baseline


@pytest.mark.parametrize("inverse_penalty", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("labels", [2, 6])
def test_probabilities_are_those_of_scikit_learn(labels, inverse_penalty):
    """Of two labels scikit-learn fits one vector, the difference of ours: half the penalty for the same C."""
    vectors, label = made_up(260, 10, labels)
    found = predicted(
        fitted(vectors, rows_of(np.arange(200), label[:200]), labels, (inverse_penalty,)),
        np.arange(260),
    )
    peer = LogisticRegression(
        C=inverse_penalty * (2 if labels == 2 else 1), tol=1e-8, max_iter=5000
    )
    peer.fit(vectors[:200], label[:200])
    assert found == pytest.approx(peer.predict_proba(vectors), abs=2e-3)
    assert found.sum(1) == pytest.approx(np.ones(260), abs=1e-6)


def test_rows_of_one_item_count_as_often_as_they_are():
    """An item with several labels is as many rows of the same vector; rows without a label teach nothing."""
    vectors, _ = made_up(30, 5, 3)
    chance = np.random.default_rng(1)
    item, label = chance.integers(0, 30, 300), chance.integers(-1, 3, 300)
    found = predicted(fitted(vectors, rows_of(item, label), 3, (1.0,)), np.arange(30))
    known = label >= 0
    peer = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000)
    peer.fit(vectors[item[known]], label[known])
    assert found == pytest.approx(peer.predict_proba(vectors), abs=2e-3)


@pytest.mark.parametrize("strength", [0.5, 4.0, 20.0])
def test_c_has_the_smallest_loss_of_scikit_learns_folds(strength):
    vectors, label = made_up(150, 8, 3, seed=2, strength=strength)
    baseline = fitted(vectors, rows_of(np.arange(150), label), 3)
    fold = np.random.default_rng(0).permutation(150) % 5
    losses = {}
    for option in INVERSE_PENALTIES:
        losses[option] = 0.0
        for held in range(5):
            out = fold == held
            peer = LogisticRegression(C=option, tol=1e-6, max_iter=5000)
            peer.fit(vectors[~out], label[~out])
            losses[option] += log_loss(peer.predict_proba(vectors[out]), label[out]) * out.sum()
    assert losses[baseline.chosen()["C"]] <= min(losses.values()) * 1.001


def test_all_rows_of_an_item_are_in_one_fold():
    """Vectors that are noise predict no held-out item, however many rows each has: the weakest fit is chosen."""
    chance = np.random.default_rng(3)
    vectors = chance.normal(size=(40, 30))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    label = np.repeat(chance.integers(0, 2, 40), 50)
    baseline = fitted(vectors, rows_of(np.repeat(np.arange(40), 50), label), 2)
    assert baseline.chosen() == {"C": INVERSE_PENALTIES[0]}


@pytest.mark.parametrize("items", [1, 3, 9, 12])
def test_few_or_equal_texts_leave_the_frequencies(items):
    """Without differences of texts, nothing but the bias is left, and C does not matter."""
    label = np.arange(items) % 3 % 2
    baseline = fitted(np.zeros((items, 4)), rows_of(np.arange(items), label), 2)
    share = np.bincount(label, minlength=2) / items
    assert predicted(baseline, [0])[0] == pytest.approx(share, abs=1e-2 if 0 in share else 1e-4)


def test_a_label_of_no_training_row_is_hardly_probable():
    vectors, label = made_up(60, 5, 3)
    found = predicted(fitted(vectors, rows_of(np.arange(60), label), 4), np.arange(60))
    assert found[:, 3].max() < 0.01
    assert np.isfinite(found).all()


def test_a_large_table_is_sampled(monkeypatch):
    monkeypatch.setattr(softmax_regression, "_PRODUCTS", 100)
    monkeypatch.setattr(softmax_regression, "_FEWEST", 70)
    monkeypatch.setattr(logistic_regression, "_BLOCK", 20)
    vectors, label = made_up(400, 8, 3, strength=20.0)
    baseline = fitted(vectors, rows_of(np.arange(300), label[:300]), 3)
    assert baseline.chosen()["items"] == 70
    assert (predicted(baseline, np.arange(300, 400)).argmax(1) == label[300:]).mean() > 0.7


def test_no_row_is_predicted_as_none():
    vectors, label = made_up(20, 3, 2)
    none = np.empty(0, np.int64)
    assert predicted(fitted(vectors, rows_of(np.arange(20), label), 2), none).shape == (0, 2)
