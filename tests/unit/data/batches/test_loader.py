import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.batches.loader import RowBatches, RowGroups, RowLoader

SOME = settings(max_examples=50, deadline=None)
sizes = {"count": st.integers(0, 40), "size": st.integers(1, 7), "processes": st.integers(1, 4)}


def ranks_of(rows, size, processes, seed=None, epoch=0):
    found = []
    for rank in range(processes):
        sampler = RowBatches(rows, size, seed=seed, rank=rank, processes=processes)
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        assert all(1 <= len(batch.rows) <= size for batch in batches)
        found.append(batches)
    return found


@SOME
@given(**sizes)
def test_evaluation_sees_every_row_once(count, size, processes):
    rows = np.arange(count) * 3
    ranks = ranks_of(rows, size, processes)
    seen = [row for batches in ranks for batch in batches for row in batch.rows]
    assert sorted(seen) == rows.tolist()
    assert all(batch.seed is None for batches in ranks for batch in batches)


@SOME
@given(**sizes, seed=st.integers(0, 3), epoch=st.integers(0, 3))
def test_training_ranks_have_as_many_batches(count, size, processes, seed, epoch):
    rows = np.arange(count) * 3
    ranks = ranks_of(rows, size, processes, seed, epoch)
    assert len({len(batches) for batches in ranks}) == 1
    seen = [row for batches in ranks for batch in batches for row in batch.rows]
    assert len(seen) == len(set(seen))
    assert set(seen) <= set(rows.tolist())
    assert count - len(seen) < processes
    seeds = [batch.seed for batches in ranks for batch in batches]
    assert len(seeds) == len(set(seeds))
    again = ranks_of(rows, size, processes, seed, epoch)
    for one, other in zip(ranks, again, strict=True):
        assert [(b.rows.tolist(), b.seed) for b in one] == [
            (b.rows.tolist(), b.seed) for b in other
        ]


def test_order_depends_on_seed_and_epoch():
    rows = np.arange(100)
    orders = {
        tuple(ranks_of(rows, 100, 1, seed, epoch)[0][0].rows) for seed in (0, 1) for epoch in (0, 1)
    }
    assert len(orders) == 4


@SOME
@given(st.lists(st.integers(-1, 5), max_size=50), st.integers(1, 4), st.integers(0, 3))
def test_rows_of_a_label_stand_together(labels, size, seed):
    """Every row once; each label in as many groups as it needs, none larger than wanted."""
    label = np.array(labels, np.int64)
    sampler = RowBatches(np.arange(len(label)) + 7, 64, seed=seed, groups=RowGroups(label, size))
    order = np.concatenate([batch.rows for batch in sampler]) if labels else np.arange(0)
    assert sorted(order) == list(range(7, 7 + len(label)))
    of_label = label[order - 7]
    for one in set(labels):
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[-9], of_label, [-9]]))))
        assert runs.sum() == len(label)
        places = np.flatnonzero(of_label == one)
        begins = 1 + int((np.diff(places) > 1).sum())
        assert begins <= -(-len(places) // size)


def test_groups_are_drawn_anew_in_each_epoch():
    sampler = RowBatches(np.arange(40), 40, seed=0, groups=RowGroups(np.arange(40) % 4, 2))
    orders = []
    for epoch in (0, 1, 0):
        sampler.set_epoch(epoch)
        orders.append(next(iter(sampler)).rows.tolist())
    assert orders[0] == orders[2] != orders[1]
    pairs = [{frozenset(order[i : i + 2]) for i in range(0, 40, 2)} for order in orders]
    assert all(a % 4 == b % 4 for a, b in pairs[0])
    assert pairs[0] != pairs[1]


class Rows:
    """A data set that hands out which rows it was asked for."""

    def __getitem__(self, batch):
        return batch.rows.tolist()


def loader(workers=0):
    return RowLoader(
        Rows(),
        batch_size=None,
        sampler=RowBatches(np.arange(20), 3, seed=0),
        num_workers=workers,
        persistent_workers=workers > 0,
        generator=torch.Generator(),
    )


def epoch(loader, number):
    batches = iter(loader)
    loader.sampler.set_epoch(number)  # after iter(), as the Trainer does
    return batches


@pytest.mark.parametrize("workers", [0, 2])
def test_state_is_what_was_handed_out(workers):
    whole = list(epoch(loader(), 1))
    first = loader(workers)
    list(epoch(first, 0))
    batches = epoch(first, 1)
    assert [next(batches) for _ in range(3)] == whole[:3]
    assert first.state_dict() == {"epoch": 1, "batches": 3}
    second = loader(workers)
    second.load_state_dict(first.state_dict())
    batches = epoch(second, 1)
    assert next(batches) == whole[3]
    assert second.state_dict() == {"epoch": 1, "batches": 4}
    assert list(batches) == whole[4:]
    assert len(second) == len(whole)  # the Trainer counts from the epoch's beginning
    assert list(epoch(second, 2)) == list(epoch(loader(), 2))


def test_state_of_a_whole_epoch_begins_the_next():
    first = loader()
    list(epoch(first, 0))
    second = loader()
    second.load_state_dict(first.state_dict())
    assert list(epoch(second, 1)) == list(epoch(first, 1))


def test_opening_leaves_the_run_its_chance():
    before = torch.get_rng_state()
    next(iter(loader()))
    assert torch.equal(torch.get_rng_state(), before)
