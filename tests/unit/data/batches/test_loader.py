import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.batches.loader import RowBatches, RowLoader

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
