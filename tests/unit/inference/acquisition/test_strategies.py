"""Strategies of active learning against loops over all pairs, and against outer products that are formed."""

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from lit_rec.inference.acquisition.strategies import (
    STRATEGIES,
    Pool,
    badge,
    entropy,
    k_center,
    margin,
    random,
)


@pytest.fixture
def pool():
    """Thirty texts of four labels; three pairs have the same vector and probabilities."""
    draws = np.random.default_rng(5)
    scores = draws.normal(size=(30, 4)) * 2
    prob = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    vectors = draws.normal(size=(30, 6)) + 3
    for one, other in ((0, 9), (4, 20), (7, 29)):
        prob[other], vectors[other] = prob[one], vectors[one]
    labelled = draws.normal(size=(5, 6)) + 3
    return Pool(*(part.astype(np.float32) for part in (prob, vectors, labelled)))


def test_entropy_is_that_of_scipy(pool):
    expected = scipy_entropy(pool.prob, axis=1)
    found = entropy(pool, 12)
    np.testing.assert_allclose(found.score, np.sort(expected)[::-1][:12], rtol=1e-5)
    np.testing.assert_allclose(expected[found.place], found.score, rtol=1e-5)


def test_entropy_of_a_certain_label_is_zero():
    found = entropy(Pool(np.eye(2), np.zeros((2, 1)), np.zeros((0, 1))), 2)
    assert found.score.tolist() == [0, 0]


def test_margin_compares_the_two_most_probable(pool):
    expected = []
    for row in pool.prob.tolist():
        first, second, *_ = sorted(row, reverse=True)
        expected.append(first - second)
    found = margin(pool, 30)
    assert sorted(found.place) == list(range(30))
    np.testing.assert_allclose(1 - found.score, np.sort(expected), atol=1e-6)
    np.testing.assert_allclose(np.array(expected)[found.place], 1 - found.score, atol=1e-6)


def test_k_center_is_the_farthest_left(pool):
    """Every step by a loop over all distances."""
    known, left, expected = [*pool.labelled.astype(float)], {*range(30)}, []
    vectors = pool.vectors.astype(float)
    for _ in range(20):
        nearest = {
            place: min(np.linalg.norm(vectors[place] - one) for one in known)
            for place in sorted(left)
        }
        place = max(nearest, key=nearest.get)
        expected.append((place, nearest[place]))
        left.remove(place)
        known.append(vectors[place])
    found = k_center(pool, 20)
    assert found.place.tolist() == [place for place, _ in expected]
    np.testing.assert_allclose(found.score, [far for _, far in expected], rtol=1e-4)
    assert (np.diff(found.score) <= 0).all()


def test_k_center_of_many_labelled_is_computed_in_blocks(pool, monkeypatch):
    whole = k_center(pool, 20)
    monkeypatch.setattr("lit_rec.inference.acquisition.spread_out._BLOCK", 60)
    in_blocks = k_center(pool, 20)
    np.testing.assert_array_equal(whole.place, in_blocks.place)
    np.testing.assert_allclose(whole.score, in_blocks.score, rtol=1e-5)


def gradients(pool):
    """The gradient of the loss of the most probable label by the last layer's weights, formed in whole."""
    made = []
    for prob, vector in zip(pool.prob.astype(float), pool.vectors.astype(float), strict=True):
        right = np.eye(len(prob))[prob.argmax()]
        made.append(np.outer(prob - right, vector).ravel())
    return np.array(made)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_badge_draws_as_k_means_plus_plus_on_gradients(pool, seed):
    whole, draws = gradients(pool), np.random.default_rng(seed)
    expected = [int(np.linalg.norm(whole, axis=1).argmax())]
    lengths = [np.linalg.norm(whole[expected[0]])]
    while len(expected) < 15:
        apart = ((whole[:, None] - whole[expected][None]) ** 2).sum(2).min(1)
        expected.append(int(draws.choice(30, p=apart / apart.sum())))
        lengths.append(np.sqrt(apart[expected[-1]]))
    found = badge(pool, 15, seed)
    assert found.place.tolist() == expected
    np.testing.assert_allclose(found.score, lengths, rtol=1e-3)


def test_badge_draws_far_gradients_more_often():
    """Shares of the second choice are squared distances from the first."""
    prob = np.full((4, 2), 0.5, np.float32)
    vectors = np.array([[9.0], [8.0], [6.0], [5.0]], np.float32)
    second = [badge(Pool(prob, vectors, vectors[:0]), 2, seed).place[1] for seed in range(2000)]
    shares = np.bincount(second, minlength=4) / 2000
    np.testing.assert_allclose(shares, np.array([0, 1, 9, 16]) / 26, atol=0.03)


@pytest.mark.parametrize("name", STRATEGIES)
def test_all_texts_are_chosen_once(pool, name):
    found = STRATEGIES[name](pool, 30, 3)
    assert sorted(found.place) == list(range(30))
    assert np.isfinite(found.score).all()
    assert (found.score >= 0).all()
    again = STRATEGIES[name](pool, 30, 3)
    np.testing.assert_array_equal(found.place, again.place)


def test_random_depends_on_the_seed_alone(pool):
    assert random(pool, 30, 1).place.tolist() != random(pool, 30, 2).place.tolist()
    assert random(pool, 5, 1).place.tolist() == random(pool, 30, 1).place[:5].tolist()


@pytest.mark.parametrize("strategy", [margin, entropy])
def test_equal_scores_are_in_an_order_of_chance(strategy):
    """A pool may be sorted by label: its first rows are then all alike."""
    pool = Pool(np.full((50, 3), 1 / 3), np.zeros((50, 1)), np.zeros((0, 1)))
    firsts = [strategy(pool, 5, seed).place.tolist() for seed in (0, 0, 1)]
    assert firsts[0] == firsts[1] != firsts[2]
    assert firsts[0] != [0, 1, 2, 3, 4]
