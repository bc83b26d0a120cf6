"""Orders of history slots against loops over sets of tokens."""

import itertools
from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import Texts
from lit_rec.models.networks.slot_order import NearestFirst, NewestFirst, token_overlap


def words_of(batch):
    """The distinct tokens of each item."""
    offsets, tokens = batch.texts.offsets.tolist(), batch.texts.tokens.tolist()
    texts = [set(tokens[a:b]) for a, b in itertools.pairwise(offsets)]
    return [set().union(*(texts[t] for t in index)) for index in batch.items.text_index.tolist()]


def nearness(one, other):
    return len(one & other) / len(one | other) if one | other else 0.0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fields", [1, 2])
def test_overlap_is_that_of_sets(make_batch, seed, fields):
    batch = make_batch(seed=seed, fields=fields)
    words = words_of(batch)
    one, other = torch.cartesian_prod(torch.arange(6), torch.arange(6)).T
    found = token_overlap(batch, one, other)
    expected = [nearness(words[a], words[b]) for a, b in zip(one, other, strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert ((found > 0) & (found < 1)).any()


@pytest.mark.parametrize("seed", range(3))
def test_nearest_first_equals_a_loop(make_batch, seed):
    batch = make_batch(seed=seed, rows=7, longest=6)
    words, order = words_of(batch), NearestFirst()(batch)
    for row in range(len(batch)):
        slots = range(int(batch.history.mask[row].sum()))
        item = batch.history.item_index[row].tolist()
        for column, candidate in enumerate(batch.candidates.item_index[row].tolist()):
            by_item = [round(nearness(words[candidate], words[i]), 6) for i in item]
            near = sorted(slots, key=lambda slot: (-by_item[slot], -slot))
            assert order[row, column].tolist()[: len(slots)] == near
    assert order.sort(2).values.unique(dim=0).tolist() == [[list(range(6))] * 3]


def test_newest_first(batch):
    assert NewestFirst()(batch).tolist() == [[[3, 2, 1, 0]] * 3] * 5


def test_texts_without_a_token(batch):
    nothing = Texts(batch.texts.tokens[:0], torch.zeros_like(batch.texts.offsets))
    batch = replace(batch, texts=nothing)
    assert token_overlap(batch, torch.tensor([0, 1]), torch.tensor([1, 1])).tolist() == [0.0, 0.0]
    real = int(batch.history.mask[1].sum())
    assert NearestFirst()(batch)[1, 0].tolist()[:real] == list(reversed(range(real)))
