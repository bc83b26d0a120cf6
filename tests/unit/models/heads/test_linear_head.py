"""LinearHead as it begins: at the logistic regression of scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError
from lit_rec.models.heads.value_heads import LinearHead
from lit_rec.models.linear.softmax_regression import logistic_regression


def made_up(rows, width, labels, seed=0):
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(rows, width))
    scores = vectors @ chance.normal(size=(width, labels))
    return vectors.astype(np.float32), (scores + chance.gumbel(size=scores.shape)).argmax(1)


@pytest.mark.parametrize("labels", [2, 5])
def test_it_begins_at_the_logistic_regression_of_the_labels(labels):
    names = tuple(f"l{place}" for place in range(labels))
    vectors, label = made_up(120, 6, labels)
    head = LinearHead(Facts.example("label", labels=names), width=6, begin="logistic_regression")
    assert head.looks_at_labels
    counts = np.eye(labels)[label]
    counts[-1] = 0  # an item without a label teaches nothing
    biases = torch.full((120, 1), 9.0)  # the last coordinate is no part of the vector
    given = torch.cat([torch.from_numpy(vectors), biases], 1)
    head.begin_at_labels(given, torch.from_numpy(counts))
    found = torch.softmax(head.linear(torch.from_numpy(vectors)), -1).detach().numpy()

    chosen = logistic_regression(vectors[:-1], counts[:-1], careful=True).inverse_penalty
    # of two labels scikit-learn fits one vector, the difference of ours
    peer = LogisticRegression(C=chosen * (2 if labels == 2 else 1), tol=1e-8, max_iter=5000)
    peer.fit(vectors[:-1], label[:-1])
    assert found == pytest.approx(peer.predict_proba(vectors), abs=3e-3)


def test_random_heads_do_not_look_at_labels():
    assert not LinearHead(Facts.example("label"), width=2).looks_at_labels
    assert not LinearHead(Facts.example(), width=2).looks_at_labels


@pytest.mark.parametrize(
    ("facts", "begin"), [(Facts.example(), "logistic_regression"), (Facts.example("label"), "at")]
)
def test_a_start_that_cannot_be(facts, begin):
    with pytest.raises(ConfigError, match=begin) as error:
        LinearHead(facts, width=2, begin=begin)
    assert "LinearHead.begin" in error.value.where
    LinearHead(facts, width=2)
