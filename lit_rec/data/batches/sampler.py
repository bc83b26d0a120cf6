"""Batches of rows for one process of several: each row once, whatever the number of processes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.collator import BatchRows


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
