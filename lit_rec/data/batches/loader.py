"""RowLoader: batches of rows in the order of the epoch, from the place where a run stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Sampler

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.collator import BatchRows, Collator


class RowBatches(Sampler[BatchRows]):
    """Divide rows into batches, and each batch among the processes.

    The order is a function of (seed, epoch), so a resumed run goes on with the same rows. Evaluation repeats no row and
    leaves none out (a padding sampler would count rows twice); ranks may then hold different numbers of batches. While
    training every rank has the same number: the last batch is left out where it has fewer rows than there are
    processes. Two processes of ``batch_size`` b see in each step the rows that one process of 2b sees.

    Args:
        rows: Rows to go over.
        batch_size: Rows per process and batch.
        seed: Seed of the order; None: the given order, for evaluation.
        rank: This process.
        processes: How many there are.

    Example:
        >>> [batch.rows.tolist() for batch in RowBatches(np.arange(5), 2)]
        [[0, 1], [2, 3], [4]]
        >>> [batch.rows.tolist() for batch in RowBatches(np.arange(5), 2, rank=1, processes=2)]
        [[1, 3]]
    """

    def __init__(
        self,
        rows: Int64s,
        batch_size: int,
        *,
        seed: int | None = None,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._rows, self._batch_size, self._seed = rows, batch_size, seed
        self._rank, self._processes = rank, processes
        self.epoch = 0
        self._begun: tuple[int, int] | None = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the order; the Trainer calls this before each epoch."""
        self.epoch = epoch

    def go_on(self, epoch: int, batches: int) -> None:
        """Leave out the first ``batches`` of ``epoch``: a run that is resumed has seen them."""
        self._begun = (epoch, batches)

    @property
    def first(self) -> int:
        """Place of the first batch that is handed out in this epoch."""
        return self._begun[1] if self._begun and self._begun[0] == self.epoch else 0

    def __len__(self) -> int:
        """Return the number of batches of this process in a whole epoch."""
        whole, rest = divmod(len(self._rows), self._batch_size * self._processes)
        needed = self._processes if self._seed is not None else self._rank + 1
        return whole + (rest >= needed)

    def __iter__(self) -> Iterator[BatchRows]:
        """Yield the batches of this process."""
        order = self._rows
        if self._seed is not None:
            order = np.random.default_rng([self._seed, self.epoch]).permutation(self._rows)
        step = self._batch_size * self._processes
        for place in range(self.first, len(self)):
            rows = order[place * step : (place + 1) * step][self._rank :: self._processes]
            chance = None if self._seed is None else (self._seed, self.epoch, place, self._rank)
            yield BatchRows(rows, chance)


class CollatedRows:
    """The DataLoader's dataset: a whole batch at a time, so that no loop runs over rows."""

    def __init__(self, collator: Collator) -> None:
        self._collator = collator

    def __getitem__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of some rows."""
        return self._collator(batch)


class RowLoader(DataLoader[Any]):
    """A DataLoader over RowBatches whose state is how many batches of the epoch it has handed out.

    With it the Trainer resumes a run within an epoch. Batches that workers have fetched ahead are not counted; what was
    handed out before is left out without being collated again.
    """

    sampler: RowBatches
    _epoch = 0
    _batches = 0

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Yield batches; workers begin when the first is asked for: the Trainer sets the epoch after it calls this."""
        self._epoch, self._batches = self.sampler.epoch, self.sampler.first
        for batch in super().__iter__():
            self._batches += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return the epoch, and how many of its batches were handed out."""
        return {"epoch": self._epoch, "batches": self._batches}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on with the batch after those handed out."""
        self.sampler.go_on(state["epoch"], state["batches"])
