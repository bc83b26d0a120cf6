"""Lists from scores of all items against a sort of each user's scores."""

import numpy as np
import pytest
import torch

from lit_rec.inference.index.scored_search import search_by_scores
from lit_rec.inference.index.search_space import SearchSpace

CPU = torch.device("cpu")


@pytest.mark.parametrize("at_once", [1, 7, 100, 10_000])
def test_equals_a_sort_whatever_fits_at_once(at_once):
    chance = np.random.default_rng(0)
    ratings = torch.from_numpy(chance.integers(0, 6, (9, 50)).astype(np.float32))  # many are equal
    seen = [chance.choice(50, size, replace=True) for size in (0, 5, 49, 400, 1, 2, 3, 4, 6)]
    allow, closed = [*range(0, 50, 2), 1, 3], torch.tensor([4, 8])
    for allowed in (None, allow):
        sizes = []

        def score(part, rows, sizes=sizes):
            sizes.append((part.stop - part.start) * rows.shape[1])
            return ratings[part][:, rows[0]]

        space = SearchSpace(50, 9, seen, allowed, closed)
        found = search_by_scores(score, space, 9, 6, at_once=at_once, device=CPU)
        assert max(sizes) <= at_once
        for user in range(9):
            left = [
                row
                for row in range(50)
                if row not in {*seen[user], 4, 8} and (allowed is None or row in allowed)
            ]
            best = sorted(left, key=lambda row, user=user: (-ratings[user, row], row))[:6]
            none = 6 - len(best)
            assert found.rows[user].tolist() == best + [-1] * none
            expected = [float(ratings[user, row]) for row in best] + [-float("inf")] * none
            assert found.scores[user].tolist() == expected


def test_nothing_to_find():
    space = SearchSpace(3, 2, None, [], torch.empty(0, dtype=torch.int64))
    found = search_by_scores(lambda part, rows: 1 / 0, space, 2, 4, at_once=5, device=CPU)
    assert found.rows.tolist() == [[-1] * 4] * 2
