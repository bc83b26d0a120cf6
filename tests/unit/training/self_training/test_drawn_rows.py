"""Drawn rows: each once before any comes again, and the same ones when asked again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lit_rec.training.self_training.drawn_rows import DrawnRows


@given(st.integers(1, 20), st.integers(0, 60), st.integers(0, 30), st.integers(0, 5))
def test_each_row_once_before_any_comes_again(rows, first, count, seed):
    drawn = DrawnRows(np.arange(100, 100 + rows), seed)
    one_by_one = [int(drawn.at(place, 1)[0]) for place in range(first + rows)]
    for turn in range((first + rows) // rows):
        assert sorted(one_by_one[turn * rows :][:rows]) == [*range(100, 100 + rows)]
    # together: the same, each once
    found = DrawnRows(np.arange(100, 100 + rows), seed).at(first, count).tolist()
    assert found == [*dict.fromkeys(one_by_one[first:][: min(count, rows)])]


def test_another_seed_and_another_turn_have_another_order():
    rows = np.arange(50)
    first, second = DrawnRows(rows, 0).at(0, 50), DrawnRows(rows, 0).at(50, 50)
    assert sorted(first) == sorted(second) == rows.tolist()
    assert (first != second).any()
    assert (first != DrawnRows(rows, 1).at(0, 50)).any()


def test_never_more_than_there_are():
    assert sorted(DrawnRows(np.array([3, 5]), 0).at(6, 100)) == [3, 5]
    assert len(DrawnRows(np.array([3, 5]), 0).at(6, 0)) == 0
