"""matrix_factorisation against draws from what it believes, against ridge regression, and on planted factors."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial
from lit_rec.evaluation.baselines import matrix_factorisation as factorisation
from lit_rec.evaluation.baselines.matrix_factorisation import MatrixFactorisationBaseline
from lit_rec.evaluation.baselines.ratings import HistoryBiasBaseline
from lit_rec.models.starts import factors

NONE = RaggedHistory(np.zeros(2, np.int64), np.empty(0, np.int64), np.empty(0))


def random_side(count, size, seed):
    """Means and covariances of ``count`` items, and the side made of them."""
    chance = np.random.default_rng(seed)
    mean = chance.normal(size=(count, size))
    root = chance.normal(0, 0.4, (count, size, size))
    covariance = root @ root.transpose(0, 2, 1)
    upper = np.triu_indices(size)
    spread = covariance[:, upper[0], upper[1]]
    return mean, covariance, factors.Side(mean, spread)


def test_moments_are_the_means_over_draws():
    mean, covariance, side = random_side(1, 3, 0)
    drawn = np.random.default_rng(1).multivariate_normal(mean[0], covariance[0], 400_000)
    regressors = np.column_stack([np.ones(len(drawn)), drawn[:, 1:]])
    moments = factors.moments_of(side)
    upper = np.triu_indices(3)
    square = (regressors.T @ regressors / len(drawn))[upper]
    assert moments.square[0] == pytest.approx(square, abs=0.02)
    assert moments.crossed[0] == pytest.approx((regressors * drawn[:, :1]).mean(0), abs=0.02)
    assert moments.bias_square[0] == pytest.approx((drawn[:, 0] ** 2).mean(), abs=0.02)


def test_expected_error_is_the_mean_over_draws_of_both_sides():
    mean, covariance, items = random_side(3, 3, 2)
    rated = factors.Rated(np.array([3]), np.array([0, 1, 2]), np.array([1.0, -0.5, 2.0]))
    prior = factors.Prior(np.zeros(3), np.eye(3))
    user, error = factors.solved(rated, factors.moments_of(items), prior, 0.7)
    full = np.zeros((3, 3))
    full[np.triu_indices(3)] = user.spread[0]
    full = full + full.T - np.diag(np.diag(full))
    chance = np.random.default_rng(3)
    of_user = chance.multivariate_normal(user.mean[0], full, 300_000)
    total = 0.0
    for item, rating in zip(rated.other, rated.rating, strict=True):
        of_item = chance.multivariate_normal(mean[item], covariance[item], len(of_user))
        told = of_user[:, 0] + of_item[:, 0] + (of_user[:, 1:] * of_item[:, 1:]).sum(1)
        total += np.mean((rating - told) ** 2)
    assert error == pytest.approx(total, rel=0.02)


def test_a_user_is_the_ridge_regression_on_factors_that_are_certain():
    """By scikit-learn, with the prior's precision times the noise as penalty; the first column is the constant."""
    chance = np.random.default_rng(7)
    baseline = MatrixFactorisationBaseline()
    baseline.mean, baseline.noise, baseline.items = 3.0, 0.5, chance.normal(size=(8, 4))
    baseline.users = factors.Prior(np.zeros(4), 2.0 * np.eye(4))
    spread = np.zeros((8, 10), np.float32)
    baseline.moments = factors.moments_of(factors.Side(baseline.items, spread))
    item, rating = np.array([1, 3, 4, 6, 7]), np.array([5.0, np.nan, 1.0, 4.0, 2.0])
    found = baseline.predict(
        np.array([0]), np.array([2]), RaggedHistory(np.array([0, 5]), item, rating)
    )
    known = ~np.isnan(rating)
    of_items = baseline.items[item[known]]
    inputs = np.column_stack([np.ones(4), of_items[:, 1:]])
    ridge = Ridge(alpha=0.5 * 2.0, fit_intercept=False)
    ridge.fit(inputs, rating[known] - 3.0 - of_items[:, 0])
    own = np.concatenate([[1.0], baseline.items[2, 1:]])
    assert found[0] == pytest.approx(3.0 + baseline.items[2, 0] + ridge.coef_ @ own)


def planted(users=150, items=60, noise=0.3):
    """Two thirds of what 150 users think of 60 items, by three factors and biases; the others' truth is known."""
    chance = np.random.default_rng(8)
    truth = chance.normal(0, 0.6, (users, 3)) @ chance.normal(0, 0.8, (3, items))
    truth += 3 + chance.normal(0, 0.3, (users, 1)) + chance.normal(0, 0.4, items)
    user, item = np.divmod(np.arange(users * items), items)
    rows = RatingRows(user, item, truth[user, item] + chance.normal(0, noise, len(user)))
    return rows, chance.random(len(user)) < 1 / 3


def trial_of(rows, held):
    rest, out = rows.where(~held), rows.where(held)
    seen = [np.flatnonzero(rest.user == one) for one in out.user]
    place = np.concatenate(seen)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in seen])])
    history = RaggedHistory(offsets, rest.item[place], rest.rating[place])
    return RatingTrial(rest, out, history)


def test_planted_factors_are_found():
    """The error comes near the noise of 0.3, and far below that of biases."""
    trial = trial_of(*planted())
    errors = {}
    for make in (HistoryBiasBaseline, MatrixFactorisationBaseline):
        baseline = make(trial)
        baseline.fit(trial.rest, 150, 60)
        errors[make] = np.sqrt(np.mean((baseline.held_prediction - trial.held.rating) ** 2))
    assert errors[HistoryBiasBaseline] > 0.8
    assert errors[MatrixFactorisationBaseline] < 0.36
    assert baseline.noise**0.5 == pytest.approx(0.3, rel=0.05)


def test_the_rank_is_the_best_on_the_held_out_rows():
    trial = trial_of(*planted(users=40, items=20))
    baseline, errors = MatrixFactorisationBaseline(trial), {}
    baseline.fit(trial.rest, 40, 20)
    for rank in (4, 8, 16):
        other = MatrixFactorisationBaseline()
        other.rank = rank
        other.fit(trial.rest, 40, 20)
        left = trial.held.rating - other.predict(trial.held.user, trial.held.item, trial.history)
        errors[rank] = left @ left
    best = min(errors, key=errors.get)
    assert baseline.chosen() == {"rank": best, "ranks_compared": 3, "rounds": 12}


def test_with_too_many_rows_ranks_are_not_compared_and_rounds_are_few(trial, monkeypatch):
    for module in (factorisation, factors):
        monkeypatch.setattr(module, "MANY_ROWS", 10)
    baseline = MatrixFactorisationBaseline(trial)
    baseline.fit(trial.rest, 30, 12)
    assert baseline.chosen() == {"rank": 8, "ranks_compared": 1, "rounds": 6}
    assert len(baseline.held_prediction) == len(trial.held.rating)


def test_blocks_change_nothing(ratings, monkeypatch):
    found = ratings.predicted_by(MatrixFactorisationBaseline())
    monkeypatch.setattr(factors, "_BLOCK", 1)
    assert ratings.predicted_by(MatrixFactorisationBaseline()) == pytest.approx(found)


def test_nobody_and_nothing_known_is_near_the_mean(ratings):
    """Item 11 has no training row: it is as the mean row's; a user without history is as the mean user."""
    baseline = MatrixFactorisationBaseline()
    ratings.predicted_by(baseline)
    rating = baseline.predict(np.array([5]), np.array([11]), NONE)
    assert rating[0] == pytest.approx(ratings.train.rating.mean(), abs=0.5)


@pytest.mark.parametrize("rating", [[3.0, 3.0, 3.0], [1.0, 5.0, 1.0], [4.0]])
def test_hardly_any_ratings_and_equal_ones_give_numbers(rating):
    rows = RatingRows(np.arange(len(rating)) % 2, np.zeros(len(rating), int), np.array(rating))
    baseline = MatrixFactorisationBaseline()
    baseline.fit(rows, 2, 2)
    assert np.isfinite(baseline.predict(np.array([0]), np.array([1]), NONE)).all()


def test_training_rows_without_a_rating_teach_nothing(ratings):
    plain = ratings.predicted_by(MatrixFactorisationBaseline())
    train = ratings.train
    ratings.train = RatingRows(
        np.append(train.user, [0, 5]),
        np.append(train.item, [3, 11]),
        np.append(train.rating, [np.nan, np.nan]),
    )
    assert ratings.predicted_by(MatrixFactorisationBaseline()) == pytest.approx(plain)
