"""Baskets and their counts against sets of users."""

import numpy as np
import pytest

from lit_rec.models.neighbors import baskets as baskets_module
from lit_rec.models.neighbors.baskets import Baskets


@pytest.fixture(params=[1, 50, 2**22], ids=["by one", "some", "at once"])
def at_once(request, monkeypatch):
    monkeypatch.setattr(baskets_module, "_PAIRS", request.param)


@pytest.mark.usefixtures("at_once")
def test_together_counts_shared_users(baskets, users_of):
    wanted = [[len(one & other) for other in users_of] for one in users_of]
    assert baskets.together().tolist() == wanted


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("most", [3, 14])
def test_companions_are_those_of_most_shared_users(baskets, users_of, most):
    index, count = baskets.companions(most)
    for item, own in enumerate(users_of):
        shared = [len(own & other) if at != item else 0 for at, other in enumerate(users_of)]
        assert count[item].tolist() == sorted(shared, reverse=True)[:most]
        there = count[item] > 0
        assert [shared[at] for at in index[item][there].tolist()] == count[item][there].tolist()
        assert len(set(index[item][there].tolist())) == there.sum()


def test_an_item_taken_again_is_as_new_as_its_last_time():
    user, item = np.array([3, 3, 3, 3, 1]), np.array([5, 7, 5, 6, 2])
    made = Baskets.of_rows(user, item, 8)
    assert (made.user.tolist(), made.item.tolist()) == ([1, 3, 3, 3], [2, 7, 5, 6])
    newest = made.newest(2)
    assert (newest.user.tolist(), newest.item.tolist()) == ([1, 3, 3], [2, 5, 6])


def test_other_codes(baskets):
    code = np.full(15, -1)
    code[[2, 9]] = [1, 0]
    made = baskets.among(code, 2)
    assert made.counts.tolist() == baskets.counts[[9, 2]].tolist()


def test_nobody():
    none = np.empty(0, np.int64)
    made = Baskets.of_rows(none, none, 3)
    assert made.together().tolist() == [[0.0] * 3] * 3
    assert made.companions(2)[1].tolist() == [[0.0] * 2] * 3
    assert len(made.newest(5).item) == 0
