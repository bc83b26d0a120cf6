"""RowLoader: batches of rows, from the place in the epoch where a run stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.collator import BatchRows, Collator
from lit_rec.data.batches.sampler import RowBatches


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
