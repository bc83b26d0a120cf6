"""Baselines on frozen text against loops and against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lit_rec.evaluation import frozen_text
from lit_rec.evaluation.baselines import HistoryBiasBaseline
from lit_rec.evaluation.frozen_text import FrozenTextKnnBaseline, FrozenTextRidgeBaseline


@pytest.fixture
def vectors(ratings):
    return np.random.default_rng(2).normal(1.0, 1.0, (ratings.items, 4))


def unit(vectors):
    centred = vectors - vectors.mean(0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def fitted(baseline, ratings):
    baseline.fit(ratings.train, ratings.users, ratings.items)
    return baseline.predict(ratings.user, ratings.item, ratings.history)


@pytest.mark.parametrize("block", [4, 2_000_000])
@pytest.mark.parametrize("neighbours", [1, 2, 20])
def test_knn_equals_the_loop(ratings, vectors, neighbours, block, monkeypatch):
    monkeypatch.setattr(frozen_text, "_BLOCK", block)
    biases = HistoryBiasBaseline()
    plain = fitted(biases, ratings)
    units, history = unit(vectors), ratings.history
    expected = []
    for row, item in enumerate(ratings.item):
        level = plain[row] - biases.item[item]  # mean + the user's bias
        pairs = []
        for entry in range(history.offsets[row], history.offsets[row + 1]):
            seen, rating = history.item[entry], history.rating[entry]
            if not np.isnan(rating):
                pairs.append((units[item] @ units[seen], rating - level - biases.item[seen]))
        nearest = sorted(pairs, key=lambda pair: -pair[0])[:neighbours]  # ties: the older first
        near = [pair for pair in nearest if pair[0] > 0]
        total, weight = sum(c * r for c, r in near), sum(c for c, _ in near)
        expected.append(plain[row] + total / (weight + 1.0))
    found = fitted(FrozenTextKnnBaseline(vectors, neighbours), ratings)
    assert found == pytest.approx(expected, abs=1e-6)


def test_ridge_equals_that_of_scikit_learn(ratings, vectors):
    """An item's mean weighed by its count has the same minimum as all its rows apart."""
    baseline = FrozenTextRidgeBaseline(vectors)
    found = fitted(baseline, ratings)
    train, units = ratings.train, unit(vectors)
    residual = train.rating - baseline.mean - baseline.user[train.user]
    ridge = Ridge(alpha=baseline.penalty, fit_intercept=False).fit(units[train.item], residual)
    quality = ridge.predict(units)
    expected = []
    for row, item in enumerate(ratings.item):
        part = slice(ratings.history.offsets[row], ratings.history.offsets[row + 1])
        left = ratings.history.rating[part] - baseline.mean - quality[ratings.history.item[part]]
        left = left[~np.isnan(left)]
        expected.append(baseline.mean + quality[item] + left.sum() / (len(left) + 5.0))
    assert found == pytest.approx(expected)


def test_ridge_takes_the_weakest_penalty_where_text_tells_all(ratings):
    """With 200 items whose quality is linear in their text, shrinking can only hurt; with noise it can only help."""
    chance = np.random.default_rng(3)
    vectors = chance.normal(size=(200, 3))
    item = np.repeat(np.arange(200), 20)
    user = np.tile(np.arange(20), 200)
    told = 3 + 2 * unit(vectors)[item] @ np.array([1.0, -1.0, 0.5])
    penalties = {}
    for name, rating in {"told": told, "noise": 3 + chance.normal(size=len(item))}.items():
        baseline = FrozenTextRidgeBaseline(vectors)
        baseline.fit(type(ratings.train)(user, item, rating), 20, 200)
        penalties[name] = baseline.penalty
    assert penalties["told"] == 3.0
    assert penalties["noise"] > 3.0


def test_items_without_text_differences_change_nothing(ratings):
    """Equal vectors are zero once centred: no neighbour, no quality, no division by zero."""
    same = np.ones((ratings.items, 4))
    plain = fitted(HistoryBiasBaseline(), ratings)
    assert fitted(FrozenTextKnnBaseline(same), ratings) == pytest.approx(plain)
    assert np.isfinite(fitted(FrozenTextRidgeBaseline(same), ratings)).all()
