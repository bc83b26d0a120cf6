"""Made-up ratings that every baseline can be fitted on."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial


@dataclass
class MadeUpRatings:
    """Training rows, and rows to predict with their histories."""

    train: RatingRows
    user: np.ndarray
    item: np.ndarray
    history: RaggedHistory
    users: int
    items: int

    def predicted_by(self, baseline):
        baseline.fit(self.train, self.users, self.items)
        return baseline.predict(self.user, self.item, self.history)

    def history_of(self, row):
        """The rated (item, rating) pairs of a row's history."""
        part = slice(self.history.offsets[row], self.history.offsets[row + 1])
        pairs = zip(
            self.history.item[part].tolist(), self.history.rating[part].tolist(), strict=True
        )
        return [(item, rating) for item, rating in pairs if not math.isnan(rating)]


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
    return MadeUpRatings(train, user, item, history, users=6, items=12)


@pytest.fixture
def trial():
    """Ratings of 30 users with tastes for 12 items: two thirds of each user's are the rest, and the others' histories.

    Ratings in histories are up to a minute from their row, on both sides; the time of some is unknown.
    """
    chance = np.random.default_rng(4)
    user, item = np.divmod(np.arange(30 * 12), 12)
    taste = chance.normal(size=(30, 2)) @ chance.normal(size=(2, 12))
    rows = RatingRows(user, item, 3 + taste[user, item] + chance.normal(0, 0.3, len(user)))
    held = chance.random(len(user)) < 1 / 3
    rest, out = rows.where(~held), rows.where(held)
    seen = [np.flatnonzero(rest.user == one) for one in out.user]
    place = np.concatenate(seen)
    age = chance.uniform(-60, 60, len(place))
    age[::5] = np.nan
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in seen])])
    return RatingTrial(rest, out, RaggedHistory(offsets, rest.item[place], rest.rating[place], age))
