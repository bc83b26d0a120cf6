"""Blocks of users among processes, and what each user has done, from columns by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from lit_rec.data.batches.user_collator import UserBlocks, UserHistories

# u0 did nothing that counts, u1 items 5 and 6 and 5, u2 only what does not count, u3 item 7
PREPARED = SimpleNamespace(
    item=np.array([4, 5, 6, 9, 5, 8, 7], np.int32), offsets=np.array([0, 1, 5, 6, 7])
)
COUNTS = np.array([0, 1, 1, 0, 1, 0, 1], bool)
VIEWED = np.array([0, 1, 0, 0, 0, 0, 0], bool)


def histories(max_length, viewed=None):
    where = SimpleNamespace(mask=lambda prepared: COUNTS)
    taken = COUNTS if viewed is None else COUNTS & ~viewed
    rule = SimpleNamespace(where=where, max_length=max_length, takes=lambda prepared: taken)
    return UserHistories(PREPARED, rule)


def test_the_newest_that_counts():
    found = histories(2).newest(np.array([0, 1, 3]))
    assert found.mask.tolist() == [[False, False], [True, True], [True, False]]
    assert found.item.tolist() == [[0, 0], [6, 5], [7, 0]]
    assert found.source.tolist() == [[-1, -1], [2, 4], [6, -1]]


def test_all_that_was_seen_whatever_the_length():
    found, count = histories(2).seen(range(1, 4))
    assert found.tolist() == [5, 6, 5, 7]
    assert count.tolist() == [3, 0, 1]
    found, count = histories(2, VIEWED).seen(range(1, 4))
    assert (found.tolist(), count.tolist()) == ([6, 5, 7], [2, 0, 1])
    found, count = histories(2).seen(range(0))
    assert len(found) == len(count) == 0


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
@pytest.mark.parametrize("waiting", [[], [1], [0, 2, 3]])
def test_each_block_is_of_one_process_and_each_process_has_one(processes, waiting):
    blocks = [(number, range(number, number + 1)) for number in waiting]
    asked = []

    def collator(batch):
        asked.extend(batch.rows.tolist())

    found = []
    for rank in range(processes):
        own = UserBlocks(collator, histories(2), blocks, rank, processes)
        assert len(own) >= 1
        found += [own[place].number for place in range(len(own))]
    assert sorted(number for number in found if number >= 0) == waiting
    assert sorted(asked) == waiting
