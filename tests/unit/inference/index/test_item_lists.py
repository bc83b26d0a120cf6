"""ItemLists: what stands in lists, and how much of them is read, against all items compared."""

import pytest
import torch

from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.item_lists import ItemLists, Reading
from lit_rec.inference.index.item_vectors import ItemVectors

pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")

ITEMS, ALL = 8_000, Reading(share=1.0)


def of_topics(width):
    """Items around thirty topics, whose last coordinate differs most, as a bias may; and a user of each topic."""
    chance = torch.Generator().manual_seed(1)
    topics = torch.randn(30, width, generator=chance)
    vectors = topics[torch.randint(30, (ITEMS,), generator=chance)]
    vectors = vectors + torch.randn(ITEMS, width, generator=chance)
    vectors[:, -1] *= 30.0
    return vectors, topics + 0.5 * torch.randn(30, width, generator=chance)


def share_of_best(found, best):
    return float((best.unsqueeze(2) == found.unsqueeze(1)).any(2).float().mean())


@pytest.mark.parametrize(("width", "most"), [(255, 320), (256, 96)])
def test_bytes_of_an_item(width, most):
    """Wide vectors are one bit a coordinate, narrow ones eight; both choose well among what is read."""
    vectors, users = of_topics(width)
    lists = ItemLists.of(ItemVectors(vectors), 180, ALL)
    best = ExactIndex(vectors).search(users, 10).rows
    assert share_of_best(lists.nearest(users, 200), best) > 0.9
    assert len(lists.written()) - 4 * 180 * width < most * ITEMS


@pytest.mark.parametrize("width", [24, 256])
def test_items_come_and_go(width):
    vectors, users = of_topics(width)
    lists = ItemLists.of(ItemVectors(vectors[:6_000]), 150, ALL)
    lists = lists.with_items(ItemVectors(vectors), 6_000)
    best = ExactIndex(vectors).search(users, 10).rows
    assert share_of_best(lists.nearest(users, 200), best) > 0.9
    gone = best[:, :3].flatten().unique()
    lists = lists.without(gone)
    found = lists.nearest(users, ITEMS)
    assert not torch.isin(found, gone).any()
    # all that is left, and nothing for the places that are left over
    kept = ITEMS - len(gone)
    assert all(len(row.unique()) == kept + 1 and (row >= 0).sum() == kept for row in found)


def test_what_is_read():
    """More lists find more of what counts, and few items are all read."""
    vectors, users = of_topics(24)
    best = ExactIndex(vectors).search(users, 10).rows
    found = []
    for reading in (Reading(0.01, 1), Reading(0.1, 1), ALL, Reading(0.01)):
        lists = ItemLists.of(ItemVectors(vectors), 150, reading)
        found.append(share_of_best(lists.nearest(users, 200), best))
    assert found[0] < found[1] - 0.1
    assert found[1] < found[2]
    assert found[3] == found[2] > 0.99
    # 2 of 150 lists: most of 200 places are left over
    lists = ItemLists.of(ItemVectors(vectors), 150, Reading(0.01, 1))
    assert (lists.nearest(users, 1_000) == -1).any(1).all()


def test_lists_of_a_reading():
    assert Reading(0.5, 1).lists(7, items=100) == 4
    assert Reading(0.01, 50).lists(10, items=100) == 5
    assert Reading(0.01, 500).lists(10, items=100) == 10
    assert Reading(0.01, 1).lists(10, items=0) == 10
