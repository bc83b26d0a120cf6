"""Logistic regression on its own sure labels, against scikit-learn in the same rounds."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from tools.benchmarks.quality import self_trained_regression
from tools.benchmarks.quality.self_trained_regression import self_trained, self_trained_accuracies


def test_as_by_scikit_learn():
    draws = np.random.default_rng(0)
    label = np.arange(90) % 3
    vectors = np.eye(5)[label] + 0.7 * draws.normal(size=(90, 5))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    few, left = vectors[:12], vectors[12:]
    x, y, weight = few, label[:12], np.ones(12)
    for _ in range(4):
        expected = LogisticRegression(C=30, tol=1e-8, max_iter=5000).fit(x, y, weight)
        prob = expected.predict_proba(left)
        sure = prob.max(1) >= 0.3
        x, y = np.concatenate([few, left[sure]]), np.append(label[:12], prob.argmax(1)[sure])
        weight = np.append(np.ones(12), np.full(sure.sum(), 12 / sure.sum()))
    found = self_trained(few, label[:12], left, 3)
    centred = found.weights - found.weights.mean(1, keepdims=True)
    assert centred == pytest.approx(
        expected.coef_.T - expected.coef_.T.mean(1, keepdims=True), abs=0.02
    )


def test_labels_of_rows_that_are_left_out_are_not_read(tmp_path, monkeypatch):
    """Test rows have the label of their vector; names of labels train, too."""

    def vectors_of(texts):
        vectors = np.zeros((len(texts), 3), np.float32)
        vectors[np.arange(len(texts)), ["abc".index(text.split()[-1]) for text in texts]] = 1
        return vectors

    monkeypatch.setattr(self_trained_regression, "vectors_of", vectors_of)
    for name, count in (("train", 90), ("test", 12)):
        letters = ["abc"[row % 3] for row in range(count)]
        texts = [f"{name} {row} {letter}" for row, letter in enumerate(letters)]
        pl.DataFrame({"text": texts, "category": letters}).write_csv(tmp_path / f"{name}.csv")
    assert self_trained_accuracies(tmp_path, [0, 1]) == [1.0, 1.0]
