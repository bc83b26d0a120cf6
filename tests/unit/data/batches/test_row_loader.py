import numpy as np
import pytest
import torch

from lit_rec.data.batches.row_loader import RowLoader
from lit_rec.data.batches.sampler import RowBatches


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
