"""Blocks of rows: the same numbers, and nothing held that grows with the slots of a batch times the width."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.same_time import OccasionNeighborhoodHead
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.objectives.score import SquaredError
from lit_rec.models.row_blocks import (
    in_row_blocks,
    length_groups,
    rows_per_block,
    slots_of,
    weighted_sum,
)
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder

ATTENTION = (AdditiveAttentionUserEncoder, CandidateAttentionUserEncoder)
# user encoder and head, with the most slots they may hold
PARTS = {
    "additive": lambda slots: (_blocked(AdditiveAttentionUserEncoder, slots), DotHead),
    "candidate": lambda slots: (_blocked(CandidateAttentionUserEncoder, slots), DotHead),
    "neighborhood": lambda slots: (MeanUserEncoder, partial(NeighborhoodHead, slots_per_block=slots)),
    "occasion": lambda slots: (MeanUserEncoder, partial(OccasionNeighborhoodHead, slots_per_block=slots)),
}  # fmt: skip


def _blocked(encoder, slots):
    return partial(encoder, slots_per_block=slots, ids=partial(IdEmbedding, dropout=0.5))


@pytest.fixture
def many(facts):
    """Facts of more users and items than one row has."""
    users, items = ([f"{kind}{place}" for place in range(40)] for kind in "ui")
    return replace(facts, user_ids=tuple(users), item_ids=tuple(items))


def learn(network, batch, seed=None):
    """Scores, loss and gradients; with a seed, dropout is on."""
    network.train(seed is not None)
    network.zero_grad(set_to_none=True)
    torch.manual_seed(seed or 0)
    scores = network(batch)
    total, count = SquaredError()(scores, batch.target)
    (total / count).backward()
    gradients = {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    return scores.detach(), gradients


def saved(compute):
    """Numbers of elements of what is held for the backward pass, once the forward pass is done."""
    sizes = []

    def note(tensor):
        sizes.append(tensor.numel())
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        compute()
    return sizes


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("part", PARTS)
def test_blocks_score_and_learn_as_one(make_network, make_batch, many, part, seed):
    """Ids drop out at random outside of the blocks: what is computed again draws nothing."""
    batch = make_batch(rows=11, longest=5, items=40)
    whole, cut = (make_network(*PARTS[part](slots), facts=many) for slots in (10**6, 8))
    cut.load_state_dict(whole.state_dict())
    one, two = learn(whole, batch, seed), learn(cut, batch, seed)
    torch.testing.assert_close(two[0], one[0], rtol=1e-5, atol=1e-6)
    assert one[1].keys() == two[1].keys()
    for name, gradient in one[1].items():
        torch.testing.assert_close(two[1][name], gradient, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("part", PARTS)
def test_blocks_score_the_same_without_gradients(make_network, make_batch, many, part):
    batch = make_batch(rows=11, longest=5, items=40)
    whole, cut = (make_network(*PARTS[part](slots), facts=many) for slots in (10**6, 8))
    cut.load_state_dict(whole.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(cut(batch), whole(batch), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("encoder", ATTENTION)
def test_attention_holds_no_vector_per_slot(facts, make_batch, encoder):
    batch = make_batch(rows=200, longest=20, items=40, candidates=1)
    vectors = torch.randn(40, 9, requires_grad=True)
    slots = batch.history.mask.numel()

    def largest(slots_per_block):
        made = encoder(facts, 8, hidden=4, slots_per_block=slots_per_block)
        return max(saved(lambda: made(vectors, batch)))

    assert largest(400) < slots * 8 <= largest(10**6)


def test_a_batch_that_fits_is_not_computed_again(facts, make_batch):
    """The plain path, with its activations: the blocks' own tests would pass if all were recomputed."""
    batch = make_batch(rows=6, longest=4, candidates=1)
    made = AdditiveAttentionUserEncoder(facts, 8, slots_per_block=24)
    calls = []
    made.hidden.register_forward_hook(lambda *_: calls.append(len(calls)))
    vectors = torch.randn(6, 9, requires_grad=True)
    made(vectors, batch).sum().backward()
    assert calls == [0]
    made.slots_per_block = 23  # five rows, and one
    made(vectors, batch).sum().backward()
    assert len(calls) == 1 + 4, "two blocks, twice each"


@pytest.mark.parametrize("items", [60, 200])
def test_neighborhood_holds_neither_vectors_per_slot_nor_all_pairs(facts, make_batch, items):
    """60 items have 3,600 pairs: cheaper than vectors of all 1,000 slots, yet more than a block of 100 may hold."""
    batch = make_batch(rows=50, longest=20, items=items, candidates=1)
    users, vectors = torch.randn(50, 9), torch.randn(items, 9, requires_grad=True)
    head = NeighborhoodHead(facts, 8, slots_per_block=100)
    largest = max(saved(lambda: head.neighbours(users, vectors, batch)))
    slots = batch.history.mask.numel()
    assert largest <= max(slots, vectors.numel()) < min(slots * 8, items * items)


def test_mean_user_encoder_holds_no_vector_per_slot(facts, make_batch):
    """Width 8, and more items than four per slot of a row: neither vectors per slot nor weights per row and item."""
    batch = make_batch(rows=100, longest=4, items=300, candidates=1)
    vectors = torch.randn(300, 9, requires_grad=True)
    made = MeanUserEncoder(facts, 8)
    largest = max(saved(lambda: made(vectors, batch)))
    assert largest <= vectors.numel() < batch.history.mask.numel() * 8


def test_blocks_by_hand():
    asked = []

    def double(rows):
        asked.append((rows.start, rows.stop))
        return values[rows] * 2

    values = torch.arange(5.0)
    assert in_row_blocks(double, 5, 2).tolist() == [0, 2, 4, 6, 8]
    assert asked == [(0, 2), (2, 4), (4, 5)]
    assert in_row_blocks(double, 5, 5).tolist() == [0, 2, 4, 6, 8]
    assert asked[3:] == [(0, 5)]


@pytest.mark.parametrize(
    ("budget", "slots", "rows"), [(100, 50, 2), (100, 51, 1), (7, 50, 1), (7, 0, 7)]
)
def test_rows_of_a_block(budget, slots, rows):
    assert rows_per_block(budget, slots) == rows


def test_slots_of_some_rows(batch):
    part = slots_of(batch.history, slice(1, 3))
    for name in ("item_index", "mask", "rating", "event", "age_days"):
        whole = getattr(batch.history, name)
        torch.testing.assert_close(getattr(part, name), whole[1:3], equal_nan=True)


def test_every_length_stands_with_those_of_its_power_of_two() -> None:
    lengths = torch.randperm(300, generator=torch.Generator().manual_seed(0)) + 1
    groups = length_groups(lengths)
    assert torch.equal(torch.cat([rows for rows, _ in groups]).sort().values, torch.arange(300))
    for rows, longest in groups:
        assert torch.equal(rows, rows.sort().values)
        inside = lengths[rows].tolist()
        assert longest == max(inside)
        # by another way to the same: the binary digits of the length less one
        assert len({(length - 1).bit_length() for length in inside}) == 1
    assert [longest for _, longest in groups] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_a_group_of_one() -> None:
    ((rows, longest),) = length_groups(torch.tensor([5]))
    assert (rows.tolist(), longest) == ([0], 5)


@pytest.mark.parametrize("items", [5, 5000])
def test_weighted_sum_equals_a_loop(items):
    torch.manual_seed(0)
    weights, vectors = torch.randn(4, 7), torch.randn(items, 3)
    index = torch.randint(items, (4, 7))
    loop = torch.stack(
        [sum(weights[b, h] * vectors[index[b, h]] for h in range(7)) for b in range(4)]
    )
    torch.testing.assert_close(weighted_sum(weights, index, vectors), loop)
