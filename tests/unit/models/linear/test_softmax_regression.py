"""The penalty of logistic regression, beside the rule of one standard error with scikit-learn's fits."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from lit_rec.models.linear.softmax_regression import INVERSE_PENALTIES, logistic_regression


@pytest.mark.parametrize("strength", [0.5, 2.0, 8.0])
def test_a_careful_c_is_within_one_standard_error(strength):
    chance = np.random.default_rng(4)
    vectors = chance.normal(size=(150, 8)).astype(np.float32)
    scores = strength * vectors @ chance.normal(size=(8, 3))
    label = (scores + chance.gumbel(size=scores.shape)).argmax(1)
    fold = np.random.default_rng(0).permutation(150) % 5
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
