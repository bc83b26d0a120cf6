"""RowLoader: the batches of an epoch in its order, from the place where a run stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.collator import BatchRows


@dataclass(frozen=True)
class RowGroups:
    """Rows of one label that stand together, some at a time; groups and their rows are drawn again for each epoch.

    Args:
        label: ``[n]``, the label of each row.
        size: How many rows stand together, at most.

    Example:
        >>> label = np.array([0, 1, 0, 1, 0, 1, 1])
        >>> order = RowGroups(label, 2).order(np.random.default_rng(0))
        >>> sorted(order.tolist()), label[order].tolist()  # three rows of label 0: a pair and one alone
        ([0, 1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 0, 1, 1])
    """

    label: Int64s
    size: int

    def order(self, chosen: np.random.Generator) -> Int64s:
        """Return places ``[n]`` of the rows in the order of an epoch."""
        order = chosen.permutation(len(self.label))
        order = order[np.argsort(self.label[order], kind="stable")]  # by label, at random within it
        label = self.label[order]
        begins = np.flatnonzero(np.append(True, np.diff(label) != 0)[: len(label)])
        place = np.arange(len(label)) - np.repeat(begins, np.diff(np.append(begins, len(label))))
        group = np.cumsum(place % self.size == 0) - 1
        drawn = chosen.permutation(int(group[-1]) + 1 if len(group) else 0)
        return order[np.argsort(drawn[group], kind="stable")]


class RowBatches(Sampler[BatchRows]):
    """Divide rows into batches, and each batch among the processes.

    The order is a function of (seed, epoch), so a resumed run continues with the same rows. Evaluation repeats no row
    and leaves none out (a padding sampler would count rows twice); ranks may then have different numbers of batches. In
    training every rank has the same number: the last batch is left out where it has fewer rows than there are
    processes. In each step, two processes of ``batch_size`` b see the rows that one process of 2b sees.

    Args:
        rows: The rows of an epoch.
        batch_size: Rows per process and batch.
        seed: Seed of the order; None: the given order, for evaluation.
        rank: The number of this process.
        processes: The number of processes.
        groups: Rows that stand together in the order of an epoch, if it has a seed.

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
        groups: RowGroups | None = None,
    ) -> None:
        self._groups = groups
        self._rows, self._batch_size, self._seed = rows, batch_size, seed
        self._rank, self._processes = rank, processes
        self.epoch = 0
        self._begun: tuple[int, int] | None = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the order; the Trainer calls this before each epoch."""
        self.epoch = epoch

    def go_on(self, epoch: int, batches: int) -> None:
        """Leave out the first ``batches`` of ``epoch``: the resumed run has seen them."""
        self._begun = (epoch, batches)

    @property
    def first(self) -> int:
        """Place of the first batch that is returned in this epoch."""
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
            chosen = np.random.default_rng([self._seed, self.epoch])
            groups = self._groups
            order = chosen.permutation(order) if groups is None else order[groups.order(chosen)]
        step = self._batch_size * self._processes
        for place in range(self.first, len(self)):
            rows = order[place * step : (place + 1) * step][self._rank :: self._processes]
            chance = None if self._seed is None else (self._seed, self.epoch, place, self._rank)
            yield BatchRows(rows, chance)


class CollatedRows:
    """The DataLoader's dataset: returns a whole batch at a time, so that no loop runs over rows."""

    def __init__(self, collator: Callable[[BatchRows], RecBatch]) -> None:
        self._collator = collator

    def __getitem__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of some rows."""
        return self._collator(batch)


class RowLoader(DataLoader[Any]):
    """A DataLoader over RowBatches whose state is the number of batches that it has returned in this epoch.

    With it the Trainer resumes a run within an epoch. Batches that workers have fetched ahead are not counted. A
    resumed run does not collate earlier batches again.
    """

    sampler: RowBatches
    _epoch = 0
    _batches = 0

    @classmethod
    def of(
        cls, collator: Callable[[BatchRows], RecBatch], sampler: RowBatches, num_workers: int
    ) -> Self:
        """Make it.

        Args:
            collator: Makes the batches.
            sampler: Their rows.
            num_workers: Processes that collate.
        """
        return cls(
            CollatedRows(collator),  # type: ignore[arg-type]
            batch_size=None,
            sampler=sampler,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            # opening a loader draws a random number; from the global generator, a resumed run would draw fewer
            generator=torch.Generator(),
        )

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        """Yield batches; workers start with the first batch: the Trainer sets the epoch only after it calls this."""
        self._epoch, self._batches = self.sampler.epoch, self.sampler.first
        for batch in super().__iter__():
            self._batches += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Return the epoch, and how many of its batches were returned."""
        return {"epoch": self._epoch, "batches": self._batches}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue after the batches that were returned."""
        self.sampler.go_on(state["epoch"], state["batches"])
