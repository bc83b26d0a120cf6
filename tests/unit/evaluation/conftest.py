"""Random ratings small enough for loops."""

from types import SimpleNamespace

import numpy as np
import pytest

from lit_rec.evaluation.rows import RaggedHistory, RatingRows


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
