import numpy as np
import pytest

from lit_rec.models.neighbors.baskets import Baskets


@pytest.fixture
def baskets():
    """40 users with up to 12 behaviors each among 15 items; item 14 is in none."""
    chance = np.random.default_rng(0)
    user = np.repeat(np.arange(40), chance.integers(1, 13, 40))
    return Baskets.of_rows(user, chance.integers(0, 14, len(user)), 15)


@pytest.fixture
def users_of(baskets):
    """For each item the set of its users."""
    pairs = list(zip(baskets.user.tolist(), baskets.item.tolist(), strict=True))
    return [{user for user, item in pairs if item == each} for each in range(baskets.items)]
