"""Stretches: each row is predicted once, by about as many rows of its user as a history holds."""

import numpy as np
import pytest

from lit_rec.models.starts.rated_rows import RatedRows


def rows_of(counts, *, past, others):
    """Of users who have so many rows each."""
    user = np.repeat(np.arange(len(counts)) + 3, counts)
    zeros = np.zeros(len(user))
    place = np.concatenate([np.arange(count) for count in counts])
    return RatedRows(
        user,
        np.ones(len(user), np.int64),
        zeros,
        zeros,
        np.arange(len(user)),
        place if past else None,
        others,
    )


def test_of_all_times_they_are_a_thousand_rows():
    found = rows_of([2500, 4], past=False, others=1000).stretches()
    assert found.begin.tolist() == [0, 1000, 2000, 2500]
    assert found.length.tolist() == [1000, 1000, 500, 4]
    assert not found.context.any()
    cut = rows_of([2500, 4], past=False, others=9).stretches(300)
    assert cut.length.tolist() == [300, 300, 300, 4]


@pytest.mark.parametrize("others", [1, 2, 3, 7, 100, 5000])
@pytest.mark.parametrize("longest", [1000, 12])
def test_of_the_past_each_row_is_asked_once_by_as_many_as_a_history_holds(others, longest):
    counts = [1, 40, 2, 700, 13]
    rows = rows_of(counts, past=True, others=others)
    found, held = rows.stretches(longest), min(others, longest * 4 // 5)
    asked = np.zeros(len(rows.user), int)
    for begin, length, context in zip(found.begin, found.length, found.context, strict=True):
        assert length <= longest
        assert len(set(rows.user[begin : begin + length])) == 1
        for row in range(begin + context, begin + length):
            asked[row] += 1
            seen, past = row - begin, rows.past[row]
            assert min(past, held) <= seen <= min(past, held + max(held // 4, 1))
    assert (asked == 1).all()
