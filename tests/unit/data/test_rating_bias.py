import math

import numpy as np

from lit_rec.data.targets.label import item_label_bias
from lit_rec.data.targets.rating import item_rating_bias


def test_bias_equals_the_loop():
    rng = np.random.default_rng(0)
    user, item = rng.integers(0, 6, 60), rng.integers(0, 9, 60)
    rating = rng.integers(1, 6, 60).astype(np.float32)
    mean = float(rating.mean(dtype=np.float64))
    of_user, of_item = dict.fromkeys(range(6), 0.0), dict.fromkeys(range(9), 0.0)
    for _ in range(5):
        for i in of_item:
            mine = [
                r - mean - of_user[u] for u, j, r in zip(user, item, rating, strict=True) if j == i
            ]
            of_item[i] = sum(mine) / (len(mine) + 5)
        for u in of_user:
            mine = [
                r - mean - of_item[i] for v, i, r in zip(user, item, rating, strict=True) if v == u
            ]
            of_user[u] = sum(mine) / (len(mine) + 5)
    np.testing.assert_allclose(
        item_rating_bias(user, item, rating), list(of_item.values()), atol=1e-6
    )


def test_bias_of_labels_equals_the_loop():
    """The log of the odds of the found count over those of the expected one.

    Five rows of the base rate are put into both counts.
    """
    rng = np.random.default_rng(1)
    user, item, yes = rng.integers(0, 6, 80), rng.integers(0, 9, 80), rng.random(80) < 0.3
    rate = (yes.sum() + 1) / (len(yes) + 2)
    base = math.log(rate / (1 - rate))
    of_user, of_item = dict.fromkeys(range(6), 0.0), dict.fromkeys(range(9), 0.0)
    rows = list(zip(user.tolist(), item.tolist(), yes.tolist(), strict=True))

    def odds(labels):
        positive = sum(labels) + 5 * rate
        return positive / (len(labels) + 5 - positive)

    def probability(bias):
        return 1 / (1 + math.exp(-base - bias))

    for _ in range(5):
        for i in of_item:
            mine = [(y, probability(of_user[u])) for u, j, y in rows if j == i]
            of_item[i] = math.log(odds([y for y, _ in mine]) / odds([p for _, p in mine]))
        for u in of_user:
            mine = [(y, probability(of_item[i])) for v, i, y in rows if v == u]
            of_user[u] = math.log(odds([y for y, _ in mine]) / odds([p for _, p in mine]))
    np.testing.assert_allclose(item_label_bias(user, item, yes), list(of_item.values()))
