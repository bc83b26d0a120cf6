"""The penalty of logistic regression, beside the rule of one standard error with scikit-learn's fits."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lit_rec.models.linear.softmax_regression import (
    INVERSE_PENALTIES,
    _folds,
    logistic_regression,
)


@pytest.mark.parametrize("strength", [0.5, 2.0, 8.0])
def test_a_careful_c_is_within_one_standard_error(strength):
    chance = np.random.default_rng(4)
    vectors = chance.normal(size=(150, 8)).astype(np.float32)
    scores = strength * vectors @ chance.normal(size=(8, 3))
    label = (scores + chance.gumbel(size=scores.shape)).argmax(1)
    fold = _folds(label)
    losses = {}
    for option in INVERSE_PENALTIES:
        of_row = np.zeros(150)
        for held in range(5):
            out = fold == held
            peer = LogisticRegression(C=option, tol=1e-6, max_iter=5000)
            prob = peer.fit(vectors[~out], label[~out]).predict_proba(vectors[out])
            of_row[out] = -np.log(prob[np.arange(out.sum()), label[out]])
        losses[option] = of_row
    best = min(losses, key=lambda option: losses[option].mean())
    error = losses[best].std() / 150**0.5
    allowed = [o for o in INVERSE_PENALTIES if losses[o].mean() <= losses[best].mean() + error]
    counts = np.eye(3)[label]
    careful = logistic_regression(vectors, counts, careful=True).inverse_penalty
    assert careful == min(allowed) < best
    assert losses[logistic_regression(vectors, counts).inverse_penalty].mean() == pytest.approx(
        losses[best].mean(), rel=1e-3
    )


def test_a_labels_vectors_are_divided_among_the_folds():
    label = np.random.default_rng(3).integers(0, 12, 137)
    fold = _folds(label)
    for name in range(12):
        of_label = np.bincount(fold[label == name], minlength=5)
        assert of_label.max() - of_label.min() <= 1
    sizes = np.bincount(fold)
    assert sizes.max() - sizes.min() <= 1


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize("most", [1, 2, 3])
def test_few_vectors_of_a_label_do_not_ask_for_a_weak_fit(most):
    """A fold that held out all vectors of a label would have every stronger fit look worse."""
    chance = np.random.default_rng(7)
    centres = chance.normal(size=(60, 32))
    label = np.repeat(np.arange(60), most)
    vectors = centres[label] + 0.5 * chance.normal(size=(len(label), 32))
    tested = centres + 0.5 * chance.normal(size=(60, 32))
    found = logistic_regression(vectors.astype(np.float32), np.eye(60)[label])
    right = (tested @ found.weights + found.bias).argmax(1) == np.arange(60)
    peers = []
    for option in INVERSE_PENALTIES:
        peer = LogisticRegression(C=option, max_iter=2000).fit(vectors, label)
        peers.append((peer.predict(tested) == np.arange(60)).mean())
    assert right.mean() >= max(peers) - 0.05
    assert found.inverse_penalty >= 0.1
