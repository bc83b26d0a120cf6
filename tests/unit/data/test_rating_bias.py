import numpy as np

from lit_rec.data.rating_bias import item_rating_bias


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
