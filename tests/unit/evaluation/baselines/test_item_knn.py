"""item_knn against loops that follow its definition, and what is left out where there is too much."""

from itertools import product

import numpy as np
import pytest

from lit_rec.evaluation.arrays import RaggedHistory, RatingRows
from lit_rec.evaluation.baselines import item_knn, neighbours
from lit_rec.evaluation.baselines.item_knn import ItemKnnBaseline, longest_within
from lit_rec.evaluation.baselines.ratings import HistoryBiasBaseline


def loop_cosines(biases, train, items, shrinkage):
    """The shrunk cosine of each pair of items; a user may rate an item twice."""
    rows = [
        (u, i, r - biases.mean - biases.item[i] - biases.user[u])
        for u, i, r in zip(train.user, train.item, train.rating, strict=True)
    ]
    norm = [sum(r * r for _, j, r in rows if j == i) ** 0.5 for i in range(items)]
    cosines = np.zeros((items, items))
    for i, j in product(range(items), repeat=2):
        both = sum(r * s for u, k, r in rows if k == i for v, m, s in rows if m == j and u == v)
        cosines[i, j] = both / (norm[i] * norm[j] + shrinkage)
    return cosines


def loop_predictions(data, biases, cosines, baseline):
    expected = []
    for row, item in enumerate(data.item):
        left = [(i, r - biases.mean - biases.item[i]) for i, r in data.history_of(row)]
        bias = sum(r for _, r in left) / (len(left) + biases.user_shrinkage)
        near = sorted(((cosines[item, i], r - bias) for i, r in left), key=lambda pair: -pair[0])
        near = [
            (c**baseline.power, r) for c, r in near[: baseline.neighbours] if c > 0
        ]  # of equal ones, the older
        level = sum(w * r for w, r in near) / (sum(w for w, _ in near) + baseline.shrinkage)
        expected.append(biases.mean + biases.item[item] + bias + level)
    return expected


@pytest.mark.parametrize("block", [1, 4_000_000])
@pytest.mark.parametrize(("most", "power"), [(20, 1), (2, 2)])
def test_it_equals_the_loop(ratings, most, power, block, monkeypatch):
    monkeypatch.setattr(item_knn, "_BLOCK", block)
    biases, baseline = HistoryBiasBaseline(), ItemKnnBaseline()
    baseline.neighbours, baseline.power = most, power
    found = ratings.predicted_by(baseline)
    ratings.predicted_by(biases)
    cosines = loop_cosines(biases, ratings.train, ratings.items, baseline.similarity_shrinkage)
    expected = loop_predictions(ratings, biases, cosines, baseline)
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_options_are_the_best_on_the_held_out_rows(trial):
    baseline = ItemKnnBaseline(trial)
    baseline.fit(trial.rest, 30, 12)
    found = baseline.chosen()
    other = ItemKnnBaseline()
    other.learn(trial.rest, 30, 12)
    other.history_shrinkage = baseline.history_shrinkage
    held, errors = trial.held, {}
    for options in product(
        item_knn._SHRINKAGES, neighbours._POWERS, neighbours._NEIGHBOURS, neighbours._SHRINKAGES
    ):
        other.similarity_shrinkage, other.power, other.neighbours, other.shrinkage = options
        left = held.rating - other.predict(held.user, held.item, trial.history)
        errors[options] = float(left @ left)
    names = ("similarity_shrinkage", "power", "neighbours", "shrinkage")
    assert errors[tuple(found[name] for name in names)] == pytest.approx(min(errors.values()))


def test_it_knows_more_than_the_biases_where_there_are_tastes(trial):
    errors = []
    for make in (HistoryBiasBaseline, ItemKnnBaseline):
        baseline = make(trial)
        baseline.fit(trial.rest, 30, 12)
        errors.append(np.mean((baseline.held_prediction - trial.held.rating) ** 2))
    assert errors[1] < 0.8 * errors[0]


def random_rows(users, items, rows):
    chance = np.random.default_rng(5)
    user, item = chance.integers(0, users, rows), chance.integers(0, items, rows)
    return RatingRows(user, item, chance.integers(1, 6, rows).astype(float))


def test_too_many_pairs_leave_a_sample_of_the_largest_users_and_it_is_said():
    train = random_rows(20, 30, 600)
    whole, cut = ItemKnnBaseline(), ItemKnnBaseline(pairs=2000)
    for baseline in (whole, cut):
        baseline.fit(train, 20, 30)
    assert "ratings_of_a_user_at_most" not in whole.chosen()
    most = cut.chosen()["ratings_of_a_user_at_most"]
    assert 20 * most**2 <= 2000 < 20 * (most + 1) ** 2
    norms = np.sqrt([np.sum(np.square(r)) for r in (whole.norm, cut.norm)])
    assert norms[1] < norms[0]  # of fewer rows


def test_of_each_item_the_most_similar_ones_are_stored():
    items = 80
    train = random_rows(20, items, 1200)
    whole, cut = ItemKnnBaseline(), ItemKnnBaseline(stored=0)
    for baseline in (whole, cut):
        baseline.fit(train, 20, items)
    assert cut.chosen()["similar_items_at_most"] == 50
    every = RaggedHistory(np.arange(items + 1) * items, np.tile(np.arange(items), items), None)
    full, few = (b.similarity(np.arange(items), every).reshape(items, items) for b in (whole, cut))
    ranked = full * (whole.norm * whole.norm[:, None] + 10) / whole.norm  # cosines without c
    for item in range(items):
        largest = np.sort(np.argsort(-ranked[item])[: min(50, int((full[item] > 0).sum()))])
        assert np.flatnonzero(few[item]).tolist() == largest.tolist()
        assert few[item, largest] == pytest.approx(full[item, largest])


def test_longest_within_is_the_largest():
    counts = np.random.default_rng(6).integers(0, 50, 40)
    for pairs in (1, 100, 5000, 10**6):
        most = longest_within(counts, pairs)
        spent = [np.sum(np.minimum(counts, size) ** 2) for size in (most, most + 1)]
        assert most == 1 or spent[0] <= pairs
        assert spent[1] > pairs or most == counts.max()


def test_without_a_common_user_nothing_is_similar():
    baseline = ItemKnnBaseline()
    baseline.fit(RatingRows(np.array([0, 1]), np.array([0, 1]), np.array([5.0, 1.0])), 2, 3)
    seen = RaggedHistory(np.array([0, 1, 2]), np.array([0, 2]), np.array([5.0, 1.0]))
    plain = HistoryBiasBaseline()
    plain.fit(RatingRows(np.array([0, 1]), np.array([0, 1]), np.array([5.0, 1.0])), 2, 3)
    arguments = np.array([0, 0]), np.array([1, 1]), seen
    assert baseline.predict(*arguments) == pytest.approx(plain.predict(*arguments))
