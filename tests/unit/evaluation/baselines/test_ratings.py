"""Baselines of biases against loops that follow their definitions word by word."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error as rmse

from lit_rec.evaluation.arrays import RaggedHistory, RatingRows
from lit_rec.evaluation.baselines.ratings import (
    ITEM_SHRINKAGES,
    USER_SHRINKAGES,
    HistoryBiasBaseline,
    MeanBaseline,
    UserItemBiasBaseline,
    shrunk_mean,
    tenth,
)

ML_100K = Path(__file__).parents[5] / "shared" / "data" / "ml-100k"


def loop_biases(train, users, items, item_shrinkage, user_shrinkage):
    rows = list(zip(train.user.tolist(), train.item.tolist(), train.rating.tolist(), strict=True))
    mean = sum(r for _, _, r in rows) / len(rows)
    of_item = []
    for item in range(items):
        left = [r - mean for _, i, r in rows if i == item]
        of_item.append(sum(left) / (len(left) + item_shrinkage))
    of_user = []
    for user in range(users):
        left = [r - mean - of_item[i] for u, i, r in rows if u == user]
        of_user.append(sum(left) / (len(left) + user_shrinkage))
    return mean, of_item, of_user


def fitted_loop(baseline, ratings):
    """The loop's biases by the shrinkages that the baseline has chosen."""
    shrinkages = baseline.item_shrinkage, baseline.user_shrinkage
    return loop_biases(ratings.train, ratings.users, ratings.items, *shrinkages)


def test_mean_baseline(ratings):
    mean = sum(ratings.train.rating) / len(ratings.train.rating)
    assert ratings.predicted_by(MeanBaseline()) == pytest.approx([mean] * len(ratings.user))


def test_user_item_bias_equals_the_loop(ratings):
    baseline = UserItemBiasBaseline()
    found = ratings.predicted_by(baseline)
    mean, of_item, of_user = fitted_loop(baseline, ratings)
    expected = [
        mean + of_item[i] + of_user[u] for u, i in zip(ratings.user, ratings.item, strict=True)
    ]
    assert found == pytest.approx(expected)
    assert of_item[11] == 0
    assert of_user[5] == 0


def test_history_bias_equals_the_loop(ratings):
    baseline = HistoryBiasBaseline()
    found = ratings.predicted_by(baseline)
    mean, of_item, _ = fitted_loop(baseline, ratings)
    expected = []
    for row, item in enumerate(ratings.item):
        left = [r - mean - of_item[i] for i, r in ratings.history_of(row)]
        expected.append(mean + of_item[item] + sum(left) / (len(left) + baseline.user_shrinkage))
    assert found == pytest.approx(expected)


def test_history_bias_without_any_history_is_mean_and_item(ratings):
    rows = len(ratings.item)
    ratings.history = RaggedHistory(
        np.zeros(rows + 1, np.int64), np.empty(0, np.int64), np.empty(0)
    )
    baseline = HistoryBiasBaseline()
    found = ratings.predicted_by(baseline)
    mean, of_item, _ = fitted_loop(baseline, ratings)
    assert found == pytest.approx([mean + of_item[i] for i in ratings.item])


@pytest.mark.parametrize("seed", range(4))
def test_shrinkages_are_the_best_pair_on_a_tenth_of_the_rows(seed):
    chance = np.random.default_rng(seed)
    rows = 200
    user, item = chance.integers(0, 20, rows), chance.integers(0, 15, rows)
    quality = chance.normal(0, seed / 2, 15)
    rating = 3 + quality[item] + chance.normal(0, 1, 20)[user] + chance.normal(0, 1, rows)
    held = tenth(rows)
    fit = RatingRows(user[~held], item[~held], rating[~held])
    errors = {}
    for pair in product(ITEM_SHRINKAGES, USER_SHRINKAGES):
        mean, of_item, of_user = loop_biases(fit, 20, 15, *pair)
        errors[pair] = sum(
            (rating[r] - mean - of_item[item[r]] - of_user[user[r]]) ** 2
            for r in np.flatnonzero(held)
        )
    baseline = UserItemBiasBaseline()
    baseline.fit(RatingRows(user, item, rating), 20, 15)
    assert (baseline.item_shrinkage, baseline.user_shrinkage) == min(errors, key=errors.get)


def test_shrinkage_is_weak_where_biases_tell_all_and_strong_where_they_tell_nothing():
    chance = np.random.default_rng(0)
    user, item = np.divmod(np.arange(600), 30)
    informed = 3 + chance.normal(0, 1, 30)[item] + chance.normal(0, 1, 20)[user]
    found = {}
    for name, rating in {"informed": informed, "noise": 3 + chance.normal(0, 1, 600)}.items():
        baseline = UserItemBiasBaseline()
        baseline.fit(RatingRows(user, item, rating), 20, 30)
        found[name] = baseline.item_shrinkage, baseline.user_shrinkage
    assert found["informed"] == (1.0, 1.0)
    assert min(found["noise"]) >= 10


def test_fewer_than_ten_rows_leave_the_first_shrinkages():
    baseline = UserItemBiasBaseline()
    baseline.fit(RatingRows(np.arange(9), np.arange(9), np.arange(9.0)), 9, 9)
    assert (baseline.item_shrinkage, baseline.user_shrinkage) == (3.0, 5.0)


def test_a_tenth_is_drawn_from_all_over_and_stays_the_same():
    mask = tenth(1000)
    assert mask.sum() == 100
    assert (tenth(1000) == mask).all()
    assert all(mask[start : start + 250].any() for start in range(0, 1000, 250))


def test_rated_history_keeps_each_entry_in_its_row(ratings):
    rated = ratings.history.rated()
    assert not np.isnan(rated.rating).any()
    for row in range(len(ratings.user)):
        part = slice(rated.offsets[row], rated.offsets[row + 1])
        found = list(zip(rated.item[part].tolist(), rated.rating[part].tolist(), strict=True))
        assert found == ratings.history_of(row)


@pytest.mark.parametrize("make", [MeanBaseline, UserItemBiasBaseline, HistoryBiasBaseline])
def test_training_rows_without_a_rating_teach_nothing(ratings, make):
    """A click without a rating among the training rows must not turn every figure into NaN."""
    plain = ratings.predicted_by(make())
    train = ratings.train
    ratings.train = RatingRows(
        np.append(train.user, [0, 5]),
        np.append(train.item, [3, 11]),
        np.append(train.rating, [np.nan, np.nan]),
    )
    assert ratings.predicted_by(make()) == pytest.approx(plain)


def test_shrunk_mean_of_an_empty_group_is_zero():
    assert shrunk_mean(np.empty(0, np.int64), np.empty(0), 2, 5.0).tolist() == [0.0, 0.0]


@pytest.mark.skipif(
    not (ML_100K / "u1.base").is_file(), reason=f"needs {ML_100K}/u1.base and u1.test"
)
def test_user_item_bias_on_movielens_100k_fold_1():
    """Published figures of bias models on this fold; a wrong shrinkage or order leaves that range."""
    train, test = (
        np.loadtxt(ML_100K / name, dtype=np.int64, usecols=(0, 1, 2))
        for name in ("u1.base", "u1.test")
    )
    baseline = UserItemBiasBaseline()
    baseline.fit(RatingRows(train[:, 0], train[:, 1], train[:, 2].astype(float)), 944, 1683)
    nothing = RaggedHistory(np.zeros(len(test) + 1, np.int64), np.empty(0, np.int64), np.empty(0))
    prediction = baseline.predict(test[:, 0], test[:, 1], nothing)
    assert 0.954 < rmse(prediction, test[:, 2].astype(float)) < 0.957
