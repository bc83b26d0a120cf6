"""Collator: rows of ``Prepared`` -> RecBatch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from lit_rec.data.batches import Candidates, HistorySlots, Profiles, RecBatch, Target, Users
from lit_rec.data.catalogue import Catalogue
from lit_rec.data.histories import BoundHistory
from lit_rec.data.history_rows import HistoryRows
from lit_rec.data.prepared import Prepared

_DAY = 86_400.0
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BatchRows:
    """What the sampler hands to the collator.

    Args:
        rows: Rows of ``Prepared`` ``[B]``.
        seed: Seed of the batch's chance, a function of (seed, epoch, place); None: an evaluation batch.
    """

    rows: Int64s
    seed: tuple[int, ...] | None = None


class RowCollator:
    """Collect the rows' histories, targets and distinct items.

    Args:
        prepared: The behaviors.
        history: Which behaviors a row sees.
        catalogue: The items' texts.
        user_vocab: ``[U]`` int64, the vocabulary row of each user code (0: no training row).
        target: ``[R]`` float32 ratings, NaN where absent, or int64 places among the labels, -1 where absent.
        with_texts: Whether batches carry texts and fields; False where the network looks item vectors up in a table.
        profiles: What is known of the users U beside their behaviors, where the data has it.
    """

    def __init__(
        self,
        prepared: Prepared,
        history: BoundHistory,
        catalogue: Catalogue,
        user_vocab: Int64s,
        target: npt.NDArray[np.float32] | Int64s,
        *,
        with_texts: bool,
        profiles: Catalogue | None = None,
    ) -> None:
        self._prepared, self._history, self._catalogue = prepared, history, catalogue
        self._user_vocab, self._target, self._with_texts = user_vocab, target, with_texts
        self._profiles = profiles

    def __call__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of ``batch.rows``; C is 1, the behavior's own item."""
        rows, prepared = batch.rows, self._prepared
        rng = np.random.default_rng(batch.seed) if batch.seed is not None else None
        history = self._history.of(rows, rng)
        candidate = np.asarray(prepared.item[rows], dtype=np.int64)
        distinct, index = np.unique(
            np.concatenate([history.item[history.mask], candidate]), return_inverse=True
        )
        history_index = np.zeros(history.mask.shape, np.int64)
        history_index[history.mask] = index[: -len(rows)]
        take = self._catalogue.take if self._with_texts else self._catalogue.refer
        texts, items = take(distinct)
        target = torch.from_numpy(self._target[rows][:, None])
        known = ~torch.isnan(target) if target.is_floating_point() else target >= 0
        ones = torch.ones((len(rows), 1), dtype=torch.bool)
        return RecBatch(
            texts=texts,
            items=items,
            users=self._users(np.asarray(prepared.user[rows], dtype=np.int64)),
            history=self._slots(history, history_index, rows),
            candidates=Candidates(torch.from_numpy(index[-len(rows) :].reshape(-1, 1)), ones),
            target=Target(torch.where(known, target, 0), known),
            row=torch.from_numpy(np.ascontiguousarray(rows)),
            impression=torch.from_numpy(np.asarray(prepared.impression[rows], np.int64)),
        )

    def _users(self, user: Int64s) -> Users:
        vocab_row = torch.from_numpy(self._user_vocab[user])
        if self._profiles is None:
            return Users(vocab_row)
        distinct, index = np.unique(user, return_inverse=True)
        take = self._profiles.take if self._with_texts else self._profiles.refer
        return Users(vocab_row, Profiles(torch.from_numpy(index.reshape(-1)), *take(distinct)))

    def _slots(self, history: HistoryRows, item_index: Int64s, rows: Int64s) -> HistorySlots:
        prepared = self._prepared
        known = history.source >= 0
        source = np.maximum(history.source, 0)
        rating = np.where(known, prepared.rating[source], np.float32(np.nan))
        event = np.where(known, prepared.event[source].astype(np.int64) + 1, 0)
        age = (prepared.timestamp[rows][:, None] - prepared.timestamp[source]) / _DAY
        return HistorySlots(
            item_index=torch.from_numpy(item_index),
            mask=torch.from_numpy(history.mask),
            rating=torch.from_numpy(rating.astype(np.float32)),
            event=torch.from_numpy(event),
            age_days=torch.from_numpy(np.where(known, age, np.nan).astype(np.float32)),
            label=torch.from_numpy(np.where(known, prepared.label[source].astype(np.int64) + 1, 0)),
        )
