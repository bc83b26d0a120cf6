import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.batches.sampler import RowBatches

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
