"""Baselines against loops that follow their definitions word by word, and against scikit-learn."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lit_rec.evaluation import frozen_text
from lit_rec.evaluation.baselines import (
    ITEM_SHRINKAGE,
    USER_SHRINKAGE,
    HistoryBiasBaseline,
    MeanBaseline,
    UserItemBiasBaseline,
    shrunk_mean,
)
from lit_rec.evaluation.frozen_text import FrozenTextKnnBaseline, FrozenTextRidgeBaseline
from lit_rec.evaluation.metrics import rmse
from lit_rec.evaluation.rows import RaggedHistory, RatingRows

ML_100K = Path(__file__).parents[4] / "shared" / "data" / "ml-100k"


@pytest.fixture
def ratings():
    """40 training rows of 6 users and 12 items; user 5 and item 11 are in none of them."""
    chance = np.random.default_rng(1)
    rows, tested = 40, 15
    train = RatingRows(
        chance.integers(0, 5, rows),
        chance.integers(0, 11, rows),
        chance.integers(1, 6, rows).astype(float),
    )
    user, item = chance.integers(0, 6, tested), chance.integers(0, 12, tested)
    user[0], item[1] = 5, 11
    lengths = chance.integers(1, 7, tested)
    lengths[0] = 0
    slots = int(lengths.sum())
    rating = chance.integers(1, 6, slots).astype(float)
    rating[chance.random(slots) < 0.3] = np.nan
    history = RaggedHistory(
        np.concatenate([[0], np.cumsum(lengths)]), chance.integers(0, 12, slots), rating
    )
    return SimpleNamespace(train=train, user=user, item=item, history=history, users=6, items=12)


def fitted(baseline, ratings):
    baseline.fit(ratings.train, ratings.users, ratings.items)
    return baseline.predict(ratings.user, ratings.item, ratings.history)


def loop_biases(train, users, items):
    rows = list(zip(train.user, train.item, train.rating, strict=True))
    mean = sum(r for _, _, r in rows) / len(rows)
    of_item = []
    for item in range(items):
        left = [r - mean for _, i, r in rows if i == item]
        of_item.append(sum(left) / (len(left) + ITEM_SHRINKAGE))
    of_user = []
    for user in range(users):
        left = [r - mean - of_item[i] for u, i, r in rows if u == user]
        of_user.append(sum(left) / (len(left) + USER_SHRINKAGE))
    return mean, of_item, of_user


def loop_history(history, row):
    """The rated (item, rating) pairs of a row's history."""
    entries = range(history.offsets[row], history.offsets[row + 1])
    pairs = [(int(history.item[e]), float(history.rating[e])) for e in entries]
    return [(i, r) for i, r in pairs if not math.isnan(r)]


def test_mean_baseline(ratings):
    mean = sum(ratings.train.rating) / len(ratings.train.rating)
    assert fitted(MeanBaseline(), ratings) == pytest.approx([mean] * len(ratings.user))


def test_user_item_bias_equals_the_loop(ratings):
    mean, of_item, of_user = loop_biases(ratings.train, ratings.users, ratings.items)
    expected = [
        mean + of_item[i] + of_user[u] for u, i in zip(ratings.user, ratings.item, strict=True)
    ]
    assert fitted(UserItemBiasBaseline(), ratings) == pytest.approx(expected)
    assert of_item[11] == 0
    assert of_user[5] == 0


def test_history_bias_equals_the_loop(ratings):
    mean, of_item, _ = loop_biases(ratings.train, ratings.users, ratings.items)
    expected = []
    for row, item in enumerate(ratings.item):
        left = [r - mean - of_item[i] for i, r in loop_history(ratings.history, row)]
        expected.append(mean + of_item[item] + sum(left) / (len(left) + USER_SHRINKAGE))
    assert fitted(HistoryBiasBaseline(), ratings) == pytest.approx(expected)


def test_history_bias_without_any_history_is_mean_and_item(ratings):
    rows = len(ratings.item)
    ratings.history = RaggedHistory(
        np.zeros(rows + 1, np.int64), np.empty(0, np.int64), np.empty(0)
    )
    mean, of_item, _ = loop_biases(ratings.train, ratings.users, ratings.items)
    expected = [mean + of_item[i] for i in ratings.item]
    assert fitted(HistoryBiasBaseline(), ratings) == pytest.approx(expected)


def test_rated_history_keeps_each_entry_in_its_row(ratings):
    rated = ratings.history.rated()
    assert not np.isnan(rated.rating).any()
    for row in range(len(ratings.user)):
        part = slice(rated.offsets[row], rated.offsets[row + 1])
        found = list(zip(rated.item[part].tolist(), rated.rating[part].tolist(), strict=True))
        assert found == loop_history(ratings.history, row)


@pytest.mark.parametrize(
    "make",
    [
        lambda vectors: MeanBaseline(),
        lambda vectors: UserItemBiasBaseline(),
        lambda vectors: HistoryBiasBaseline(),
        FrozenTextKnnBaseline,
        FrozenTextRidgeBaseline,
    ],
    ids=["mean", "user_item_bias", "history_bias", "frozen_text_knn", "frozen_text_ridge"],
)
def test_training_rows_without_a_rating_teach_nothing(ratings, vectors, make):
    """A click without a rating among the training rows must not turn every figure into NaN."""
    plain = fitted(make(vectors), ratings)
    train = ratings.train
    ratings.train = RatingRows(
        np.append(train.user, [0, 5]),
        np.append(train.item, [3, 11]),
        np.append(train.rating, [np.nan, np.nan]),
    )
    assert fitted(make(vectors), ratings) == pytest.approx(plain)


def test_shrunk_mean_of_an_empty_group_is_zero():
    assert shrunk_mean(np.empty(0, np.int64), np.empty(0), 2, 5.0).tolist() == [0.0, 0.0]


@pytest.mark.skipif(
    not (ML_100K / "u1.base").is_file(), reason=f"needs {ML_100K}/u1.base and u1.test"
)
def test_user_item_bias_on_movielens_100k_fold_1():
    """Published figures of bias models on this fold lie near 0.955; a wrong shrinkage or order leaves that range."""
    train, test = (
        np.loadtxt(ML_100K / name, dtype=np.int64, usecols=(0, 1, 2))
        for name in ("u1.base", "u1.test")
    )
    baseline = UserItemBiasBaseline()
    baseline.fit(RatingRows(train[:, 0], train[:, 1], train[:, 2].astype(float)), 944, 1683)
    nothing = RaggedHistory(np.zeros(len(test) + 1, np.int64), np.empty(0, np.int64), np.empty(0))
    prediction = baseline.predict(test[:, 0], test[:, 1], nothing)
    assert 0.950 < rmse(prediction, test[:, 2].astype(float)) < 0.960


@pytest.fixture
def vectors(ratings):
    return np.random.default_rng(2).normal(1.0, 1.0, (ratings.items, 4))


def unit(vectors):
    centred = vectors - vectors.mean(0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


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
