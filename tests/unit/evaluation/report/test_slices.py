import numpy as np

from lit_rec.evaluation.arrays import RatingRows
from lit_rec.evaluation.report.slices import next_item_slices, rating_slices


def rows(user, item):
    return RatingRows(np.array(user), np.array(item), np.ones(len(user)))


def test_slices_by_hand():
    """User 0 has 11 training rows, user 1 has 10, user 2 one and user 9 none; items 0 to 2 were trained."""
    train = rows([0] * 11 + [1] * 10 + [2], [0] * 11 + [1] * 10 + [2])
    slices = rating_slices(train, np.array([0, 1, 2, 9, 9]), np.array([0, 1, 8, 2, 7]))
    assert {name: mask.tolist() for name, mask in slices.items()} == {
        "all": [True] * 5,
        "new_users": [False, False, False, True, True],
        "few_shot_users": [False, True, True, False, False],
        "new_items": [False, False, True, False, True],
    }


def test_slices_of_no_row():
    slices = rating_slices(rows([0], [0]), np.empty(0, np.int64), np.empty(0, np.int64))
    assert [len(mask) for mask in slices.values()] == [0, 0, 0, 0]


def test_without_training_rows_all_is_new():
    none = np.empty(0, np.int64)
    slices = rating_slices(RatingRows(none, none, np.empty(0)), np.array([1]), np.array([2]))
    assert slices["new_users"].all()
    assert slices["new_items"].all()
    assert not slices["few_shot_users"].any()


def test_slices_by_how_often_the_target_was_seen():
    """Item i has i training rows; each target is in one slice."""
    often = np.repeat(np.arange(25), np.arange(25))
    train = rows([0] * len(often), often)
    slices = next_item_slices(train, np.zeros(25, np.int64), np.arange(25))
    found = {name: np.flatnonzero(mask).tolist() for name, mask in slices.items()}
    assert found["new_items"] == [0]
    assert found["known_items"] == [*range(1, 25)]
    assert found["seen_1_4"] == [1, 2, 3, 4]
    assert found["seen_5_9"] == [*range(5, 10)]
    assert found["seen_10_19"] == [*range(10, 20)]
    assert found["seen_20_more"] == [*range(20, 25)]
