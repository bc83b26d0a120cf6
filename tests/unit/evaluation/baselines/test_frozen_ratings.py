"""Baselines on frozen text against loops that follow their definitions, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity

from lit_rec.evaluation.arrays import RatingRows
from lit_rec.evaluation.baselines import frozen_ratings as frozen_text
from lit_rec.evaluation.baselines.frozen_ratings import (
    TextKnnBaseline,
    TextRidgeBaseline,
    unit_vectors,
)
from lit_rec.evaluation.baselines.ratings import HistoryBiasBaseline


def unit(vectors):
    centred = vectors - vectors.mean(0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


@pytest.fixture
def units(ratings):
    return unit(np.random.default_rng(2).normal(1.0, 1.0, (ratings.items, 4)))


def test_one_field_is_centred_and_scaled():
    vectors = np.random.default_rng(2).normal(1.0, 1.0, (12, 4))
    assert unit_vectors(vectors[:, None]) == pytest.approx(unit(vectors))


def test_dot_product_of_joined_fields_is_the_mean_of_their_cosines():
    fields = np.random.default_rng(2).normal(1.0, 3.0, (12, 3, 4))
    joined = unit_vectors(fields)
    assert joined.shape == (12, 12)
    cosines = [cosine_similarity(fields[:, f] - fields[:, f].mean(0)) for f in range(3)]
    assert joined @ joined.T == pytest.approx(np.mean(cosines, axis=0))


def test_field_without_differences_is_zero_beside_the_others():
    fields = np.random.default_rng(2).normal(size=(12, 2, 4))
    fields[:, 1] = 7.0
    joined = unit_vectors(fields)
    assert (joined[:, 4:] == 0).all()
    assert joined[:, :4] == pytest.approx(unit(fields[:, 0]) / np.sqrt(2))


@pytest.mark.parametrize("pairs", [0, 144])
@pytest.mark.parametrize("block", [4, 2_000_000])
@pytest.mark.parametrize(("neighbours", "power"), [(1, 1), (2, 2), (20, 1)])
def test_knn_equals_the_loop(ratings, units, neighbours, power, block, pairs, monkeypatch):
    """Whether all pairs of the 12 items are held, or only cosines of what is in a history."""
    monkeypatch.setattr(frozen_text, "_BLOCK", block)
    monkeypatch.setattr(frozen_text, "_PAIRS", pairs)
    biases = HistoryBiasBaseline()
    plain = ratings.predicted_by(biases)
    expected = []
    for row, item in enumerate(ratings.item):
        level = plain[row] - biases.item[item]  # mean + the user's bias
        pairs = [
            (units[item] @ units[seen], rating - level - biases.item[seen])
            for seen, rating in ratings.history_of(row)
        ]
        nearest = sorted(pairs, key=lambda pair: -pair[0])[:neighbours]  # ties: the older first
        near = [(c**power, r) for c, r in nearest if c > 0]
        total, weight = sum(c * r for c, r in near), sum(c for c, _ in near)
        expected.append(plain[row] + total / (weight + 1.0))
    baseline = TextKnnBaseline(units)
    baseline.neighbours, baseline.power = neighbours, power
    assert ratings.predicted_by(baseline) == pytest.approx(expected, abs=1e-6)


def ridge_quality(baseline, train, units):
    """What scikit-learn's ridge on rows, not items, says of each item.

    One penalty is for items with rows, another for those without.
    """
    residual = train.rating - baseline.mean - baseline.user[train.user]
    by_penalty = [
        Ridge(alpha=penalty, fit_intercept=False).fit(units[train.item], residual).predict(units)
        for penalty in (baseline.seen_penalty, baseline.new_penalty)
    ]
    return np.array([by_penalty[item not in train.item][item] for item in range(len(units))])


def test_ridge_equals_that_of_scikit_learn(ratings, units, monkeypatch):
    """An item's mean weighed by its count has the same minimum as all its rows apart; item 11 has no row."""
    chosen = iter([3.0, 30.0])
    monkeypatch.setattr(TextRidgeBaseline, "_best_penalty", lambda *_: next(chosen))
    baseline = TextRidgeBaseline(units)
    found = ratings.predicted_by(baseline)
    assert (baseline.seen_penalty, baseline.new_penalty) == (3.0, 30.0)
    quality = ridge_quality(baseline, ratings.train, units)
    expected = []
    for row, item in enumerate(ratings.item):
        left = [r - baseline.mean - quality[i] for i, r in ratings.history_of(row)]
        bias = sum(left) / (len(left) + baseline.user_shrinkage)
        expected.append(baseline.mean + quality[item] + bias)
    assert found == pytest.approx(expected)


def made_up_quality(of_text, of_item):
    """20 users rate 200 items, whose quality is linear in 60 numbers of text, an item's own and noise."""
    chance = np.random.default_rng(3)
    units = unit(chance.normal(size=(200, 60)))
    item, user = np.repeat(np.arange(200), 20), np.tile(np.arange(20), 200)
    quality = units @ chance.normal(0, of_text, 60) + chance.normal(0, of_item, 200)
    return units, RatingRows(user, item, 3 + quality[item] + chance.normal(0, 0.1, len(item)))


@pytest.mark.parametrize(("of_text", "of_item"), [(1.0, 0.0), (0.0, 0.0), (0.3, 1.0)])
def test_penalties_are_the_best_on_held_out_rows_and_items(of_text, of_item):
    """By scikit-learn's ridge on rows: a tenth of rows for items with rows, a tenth of items for those without."""
    units, train = made_up_quality(of_text, of_item)
    baseline = TextRidgeBaseline(units)
    baseline.fit(train, 20, 200)
    residual = train.rating - baseline.mean - baseline.user[train.user]
    new = np.isin(train.item, np.flatnonzero(frozen_text.tenth(200)))
    for held, found in (
        (frozen_text.tenth(4000), baseline.seen_penalty),
        (new, baseline.new_penalty),
    ):
        errors = {}
        for penalty in (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0):
            ridge = Ridge(alpha=penalty, fit_intercept=False)
            ridge.fit(units[train.item[~held]], residual[~held])
            left = residual[held] - ridge.predict(units[train.item[held]])
            errors[penalty] = left @ left
        assert found == min(errors, key=errors.get)


def test_new_items_want_a_stronger_penalty_where_items_have_a_quality_of_their_own():
    """Where text tells all, none wants any: shrinking can only hurt."""
    units, train = made_up_quality(of_text=1.0, of_item=0.0)
    informed = TextRidgeBaseline(units)
    informed.fit(train, 20, 200)
    assert informed.seen_penalty == informed.new_penalty == 0.3
    units, train = made_up_quality(of_text=0.3, of_item=1.0)
    own = TextRidgeBaseline(units)
    own.fit(train, 20, 200)
    assert own.seen_penalty < own.new_penalty


@pytest.mark.parametrize("make", [TextKnnBaseline, TextRidgeBaseline])
def test_training_rows_without_a_rating_teach_nothing(ratings, units, make):
    """Not even that an item has been seen."""
    plain = ratings.predicted_by(make(units))
    train = ratings.train
    ratings.train = RatingRows(
        np.append(train.user, [0, 5]),
        np.append(train.item, [3, 11]),
        np.append(train.rating, [np.nan, np.nan]),
    )
    assert ratings.predicted_by(make(units)) == pytest.approx(plain)


def test_items_without_text_differences_change_nothing(ratings):
    """Equal vectors are zero once centred: no neighbour, no quality, no division by zero."""
    same = unit_vectors(np.ones((ratings.items, 1, 4)))
    plain = ratings.predicted_by(HistoryBiasBaseline())
    assert ratings.predicted_by(TextKnnBaseline(same)) == pytest.approx(plain)
    ridge = TextRidgeBaseline(same)
    assert np.isfinite(ratings.predicted_by(ridge)).all()
    assert (ridge.text == 0).all()
