import itertools

import numpy as np
import torch

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.batches.request import Seen, joined, request_batch

DAY = 86_400.0
SEEN = [Seen(4, 3.0, 1, 10 * DAY, 2), Seen(2, 5.0, 0, float("nan"), 0)]


def test_a_request_is_one_row_over_the_table():
    batch = request_batch(SEEN, np.array([7, 0, 2]), user_row=3, now=12 * DAY)
    assert len(batch) == 1
    assert batch.history.item_index.tolist() == [[4, 2]]
    assert batch.history.mask.tolist() == [[True, True]]
    assert batch.history.rating.tolist() == [[3.0, 5.0]]
    assert batch.history.event.tolist() == [[1, 0]]
    assert batch.history.label.tolist() == [[2, 0]]
    assert batch.candidates.item_index.tolist() == [[7, 0, 2]]
    assert batch.candidates.mask.all()
    assert batch.users.vocab_row.tolist() == [3]
    assert not batch.target.mask.any()
    assert batch.row.tolist() == [-1]


def test_ages_are_days_and_unknown_without_a_time():
    ages = request_batch(SEEN, np.array([0]), 0, now=12 * DAY).history.age_days
    torch.testing.assert_close(ages, torch.tensor([[2.0, torch.nan]]), equal_nan=True)
    assert request_batch(SEEN, np.array([0]), 0, now=None).history.age_days.isnan().all()


def test_no_history_is_one_masked_slot():
    history = request_batch([], np.array([0]), 0, now=DAY).history
    assert history.mask.tolist() == [[False]]
    assert history.item_index.tolist() == [[0]]
    assert history.rating.isnan().all()
    assert history.age_days.isnan().all()


def test_parts_of_two_catalogues_are_joined():
    def part(tokens, offsets, index, rows):
        items = Items(torch.tensor(index), torch.tensor(rows), torch.tensor(rows) + 1)
        return Texts(torch.tensor(tokens, dtype=torch.int32), torch.tensor(offsets)), items

    first = part([7, 8, 9], [0, 1, 3], [[1, 0], [0, 0]], [4, 6])
    second = part([5, 6], [0, 0, 2], [[0, 1]], [-1])
    texts, items = joined([first, second])
    spans = texts.offsets.tolist()
    words = [texts.tokens[a:b].tolist() for a, b in itertools.pairwise(spans)]
    assert words == [[7], [8, 9], [], [5, 6]]
    fields = [[words[text] for text in of_item] for of_item in items.text_index.tolist()]
    assert fields == [[[8, 9], [7]], [[7], [7]], [[], [5, 6]]]
    assert items.catalogue_row.tolist() == [4, 6, -1]
    assert items.vocab_row.tolist() == [5, 7, 0]
    alone = joined([second])
    assert torch.equal(alone[0].offsets, second[0].offsets)
    assert torch.equal(alone[1].text_index, second[1].text_index)
