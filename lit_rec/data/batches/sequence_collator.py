"""SequenceCollator: windows of users' training rows -> RecBatch; each position has the next item as target."""

from __future__ import annotations

import numpy as np
import torch

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import Candidates, RecBatch, Target
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.collator import BatchRows, Collator
from lit_rec.data.batches.negatives import DrawnItems
from lit_rec.data.history.sequences import BoundSequences
from lit_rec.data.prepared import Prepared


class SequenceCollator(Collator):
    """Collect training windows: history ``[B, H]``, target ``[B, H + 1]``, no candidates.

    ``row`` is the newest of each window.

    Ages are unknown (NaN): counted from the window's end, they would show an earlier position how much time follows.

    Args:
        prepared: The behaviors.
        sequences: The windows.
        catalogue: The items' texts.
        user_vocab: ``[U]`` int64, the vocabulary row of each user code (0: no training row).
        profiles: What is known of the U users besides behaviors, where the data has it.
        drawn: Draws negatives into the batches, where they are wanted.
    """

    def __init__(
        self,
        prepared: Prepared,
        sequences: BoundSequences,
        catalogue: Catalogue,
        user_vocab: Int64s,
        *,
        profiles: Catalogue | None = None,
        drawn: DrawnItems | None = None,
    ) -> None:
        parts = prepared, catalogue, user_vocab
        super().__init__(*parts, with_texts=True, profiles=profiles, drawn=drawn)
        self._sequences = sequences

    def __call__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of the windows that end with ``batch.rows``."""
        rows = batch.rows
        rng = np.random.default_rng(batch.seed) if batch.seed is not None else None
        found = self._sequences.of(rows, rng)
        history, known = found.history, torch.from_numpy(found.known)
        texts, items, (seen, after), drawn = self._distinct(
            rng, history.item[history.mask], found.target[found.known]
        )
        none = torch.zeros((len(rows), 0), dtype=torch.int64)
        users, row, impression = self._of_rows(rows)
        value = torch.zeros(known.shape, dtype=torch.int64).masked_scatter(known, after)
        return RecBatch(
            texts=texts,
            items=items,
            users=users,
            history=self._slots(history, seen, np.full(len(rows), np.nan)),
            candidates=Candidates(none, none.bool()),
            target=Target(value, known),
            row=row,
            impression=impression,
            drawn=drawn,
        )
