"""Vectors of sentence-transformers and scikit-learn's LogisticRegression.

C is chosen by five-fold cross-validation of accuracy on training rows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from tools.benchmarks.peers.exchange import Array, Line, Timed, answer

GRID = {"C": (1.0, 3.0, 10.0, 30.0, 100.0)}
_ITERATIONS = 1000


def lines(rows: dict[str, Array]) -> Iterator[Line]:
    """Yield the regression with the best C."""
    torch.set_num_threads(1)
    label = rows["train_label"]
    with Timed() as fit:
        encoder = SentenceTransformer(str(rows["encoder"]), device="cpu")
        vectors = encoder.encode(rows["train_text"].tolist(), normalize_embeddings=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    with Timed() as choice:
        model = LogisticRegression(max_iter=_ITERATIONS)
        search = GridSearchCV(model, GRID, cv=folds, refit=False).fit(vectors, label)
    with fit:
        model = LogisticRegression(max_iter=_ITERATIONS, **search.best_params_).fit(vectors, label)
    with Timed() as predict:
        tested = encoder.encode(rows["test_text"].tolist(), normalize_embeddings=True)
        predicted = np.zeros((len(tested), int(rows["labels"])))
        predicted[:, model.classes_] = model.predict_proba(tested)
    yield Line(
        "sentence_transformers_logistic_regression",
        predicted,
        fit.seconds,
        predict.seconds,
        choice.seconds,
        search.best_params_,
    )


if __name__ == "__main__":
    answer(lines, sys.argv[1:])
