"""clock and blend against loops, and their options on held-out rows."""

from itertools import product

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lit_rec.evaluation.arrays import RaggedHistory, RatingTrial
from lit_rec.evaluation.baselines import clock as clock_file
from lit_rec.evaluation.baselines.blend import BlendBaseline
from lit_rec.evaluation.baselines.clock import ClockBaseline
from lit_rec.evaluation.baselines.item_knn import ItemKnnBaseline
from lit_rec.evaluation.baselines.ratings import USER_SHRINKAGES, HistoryBiasBaseline


def test_clock_equals_the_loop(ratings):
    chance = np.random.default_rng(9)
    age = chance.uniform(-100, 100, len(ratings.history.item))
    age[::4] = np.nan
    seen = ratings.history
    ratings.history = RaggedHistory(seen.offsets, seen.item, seen.rating, age)
    biases, clock = HistoryBiasBaseline(), ClockBaseline()
    clock.share = 0.7
    plain, expected = ratings.predicted_by(biases), []
    for row, item in enumerate(ratings.item):
        level = plain[row] - biases.item[item]
        total = weights = 0.0
        for slot in range(seen.offsets[row], seen.offsets[row + 1]):
            if not np.isnan(seen.rating[slot]) and not np.isnan(age[slot]):
                weight = 1 / (1 + abs(age[slot]) / 15)
                total += weight * (seen.rating[slot] - level - biases.item[seen.item[slot]])
                weights += weight
        expected.append(plain[row] + 0.7 * total / (weights + 3))
    assert ratings.predicted_by(clock) == pytest.approx(expected)


@pytest.mark.parametrize("known", [False, True])
def test_without_times_the_clock_says_nothing(ratings, known):
    seen = ratings.history
    age = np.full(len(seen.item), np.nan) if known else None
    ratings.history = RaggedHistory(seen.offsets, seen.item, seen.rating, age)
    plain = ratings.predicted_by(HistoryBiasBaseline())
    assert ratings.predicted_by(ClockBaseline()) == pytest.approx(plain)


def test_options_of_the_clock_are_the_best_on_the_held_out_rows(trial):
    clock = ClockBaseline(trial)
    clock.fit(trial.rest, 30, 12)
    other = ClockBaseline()
    other.learn(trial.rest, 30, 12)
    other.history_shrinkage = clock.history_shrinkage
    held, errors = trial.held, {}
    for options in product(clock_file._SECONDS, clock_file._SHRINKAGES, np.arange(0, 4, 0.05)):
        other.seconds, other.shrinkage, other.share = options
        left = held.rating - other.predict(held.user, held.item, trial.history)
        errors[options] = left @ left
    found = held.rating - clock.held_prediction
    assert found @ found <= min(errors.values()) + 1e-9


def test_a_share_below_zero_is_none(trial):
    """Where what was rated close by says the contrary, the clock says nothing."""
    seen = trial.history
    level = np.repeat(trial.held.rating, np.diff(seen.offsets))
    contrary = RaggedHistory(seen.offsets, seen.item, 6 - level, np.where(level > 3, 0.0, 1e9))
    clock = ClockBaseline(RatingTrial(trial.rest, trial.held, contrary))
    clock.fit(trial.rest, 30, 12)
    assert clock.share == 0


def test_shrinkage_of_the_history_is_the_best_on_the_held_out_rows(trial):
    baseline = HistoryBiasBaseline(trial)
    baseline.fit(trial.rest, 30, 12)
    errors = {}
    for shrinkage in USER_SHRINKAGES:
        other = HistoryBiasBaseline()
        other.fit(trial.rest, 30, 12)
        other.history_shrinkage = shrinkage
        left = trial.held.rating - other.predict(trial.held.user, trial.held.item, trial.history)
        errors[shrinkage] = left @ left
    assert baseline.chosen()["history_shrinkage"] == min(errors, key=errors.get)


def test_weights_of_a_blend_are_the_ridge_regression_of_scikit_learn(trial):
    biases, parts = HistoryBiasBaseline(trial), [ItemKnnBaseline(trial), ClockBaseline(trial)]
    blend = BlendBaseline(biases, parts, trial)
    for baseline in (biases, *parts, blend):
        baseline.fit(trial.rest, 30, 12)
    base = biases.held_prediction
    ridge = Ridge(alpha=10.0, fit_intercept=False)
    ridge.fit(np.stack([p.held_prediction - base for p in parts], 1), trial.held.rating - base)
    assert blend.weights == pytest.approx(ridge.coef_)
    arguments = trial.held.user, trial.held.item, trial.history
    plain = biases.predict(*arguments)
    added = np.stack([part.predict(*arguments) - plain for part in parts], 1)
    assert blend.predict(*arguments) == pytest.approx(plain + ridge.predict(added))
    names = blend.chosen()["weights"]
    assert list(names) == ["item_knn", "clock"]


def test_without_held_out_rows_a_blend_is_the_mean_of_its_parts(ratings):
    biases, parts = HistoryBiasBaseline(), [ItemKnnBaseline(), ClockBaseline()]
    found = [ratings.predicted_by(baseline) for baseline in (biases, *parts)]
    blend = ratings.predicted_by(BlendBaseline(biases, parts, None))
    assert blend == pytest.approx((found[1] + found[2]) / 2)
