"""Collator: rows of ``Prepared`` -> RecBatch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lit_rec.data.arrays import Float32s, Int64s
from lit_rec.data.batches.batch import (
    Candidates,
    HistorySlots,
    Items,
    Profiles,
    RecBatch,
    SeenItems,
    Target,
    Texts,
    Users,
)
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.negatives import DrawnItems
from lit_rec.data.history.rule import BoundHistory, BoundOrderedHistory
from lit_rec.data.history.windows import HistoryRows
from lit_rec.data.prepared import Prepared

_DAY = 86_400.0


@dataclass(frozen=True)
class BatchRows:
    """What the sampler hands to the collator.

    Args:
        rows: Rows of ``Prepared`` ``[B]``.
        seed: Seed of the batch's random draws, a function of (seed, epoch, place); None: an evaluation batch.
    """

    rows: Int64s
    seed: tuple[int, ...] | None = None


class Collator(ABC):
    """Make batches of rows: their histories, targets and distinct items.

    Args:
        prepared: The behaviors.
        catalogue: The items' texts.
        user_vocab: ``[U]`` int64, the vocabulary row of each user code (0: no training row).
        with_texts: Whether batches hold texts and fields; False where the network looks item vectors up in a table.
        profiles: What is known of the U users besides behaviors, where the data has it.
        drawn: Draws negatives into training batches, where they are wanted.
    """

    def __init__(
        self,
        prepared: Prepared,
        catalogue: Catalogue,
        user_vocab: Int64s,
        *,
        with_texts: bool,
        profiles: Catalogue | None = None,
        drawn: DrawnItems | None = None,
    ) -> None:
        self._prepared, self._catalogue = prepared, catalogue
        self._user_vocab, self._with_texts = user_vocab, with_texts
        self._profiles, self._drawn = profiles, drawn

    @abstractmethod
    def __call__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of ``batch.rows``."""

    def _distinct(
        self, rng: np.random.Generator | None, *codes: Int64s
    ) -> tuple[Texts, Items, list[Tensor], Tensor | None]:
        """Return texts and slots of the distinct items, the places of ``codes`` among them, and of drawn negatives."""
        drawn = self._drawn.draw(rng) if self._drawn is not None and rng is not None else None
        together = [*codes] if drawn is None else [*codes, drawn]
        distinct, index = np.unique(np.concatenate(together), return_inverse=True)
        ends = np.cumsum([len(part) for part in together])[:-1]
        places = [torch.from_numpy(part) for part in np.split(index.reshape(-1), ends)]
        take = self._catalogue.take if self._with_texts else self._catalogue.refer
        return *take(distinct), places[: len(codes)], None if drawn is None else places[-1]

    def _users(self, user: Int64s) -> Users:
        vocab_row = torch.from_numpy(self._user_vocab[user])
        if self._profiles is None:
            return Users(vocab_row)
        distinct, index = np.unique(user, return_inverse=True)
        take = self._profiles.take if self._with_texts else self._profiles.refer
        return Users(vocab_row, Profiles(torch.from_numpy(index.reshape(-1)), *take(distinct)))

    def _of_rows(self, rows: Int64s) -> tuple[Users, Tensor, Tensor]:
        """Return users, ``row`` and ``impression`` of a batch."""
        prepared = self._prepared
        return (
            self._users(np.asarray(prepared.user[rows], dtype=np.int64)),
            torch.from_numpy(np.ascontiguousarray(rows)),
            torch.from_numpy(np.asarray(prepared.impression[rows], np.int64)),
        )

    def _slots(self, history: HistoryRows, item: Tensor, now: npt.NDArray[Any]) -> HistorySlots:
        """Return the slots; ``item``: places of the items of real slots; ``now`` ``[B]``: time in seconds, for ages."""
        prepared = self._prepared
        mask = torch.from_numpy(history.mask)
        known = history.source >= 0
        source = np.maximum(history.source, 0)
        rating = np.where(known, prepared.rating[source], np.float32(np.nan))
        event = np.where(known, prepared.event[source].astype(np.int64) + 1, 0)
        age = (now[:, None] - prepared.timestamp[source]) / _DAY
        return HistorySlots(
            item_index=torch.zeros(mask.shape, dtype=torch.int64).masked_scatter(mask, item),
            mask=mask,
            rating=torch.from_numpy(rating.astype(np.float32)),
            event=torch.from_numpy(event),
            age_days=torch.from_numpy(np.where(known, age, np.nan).astype(np.float32)),
            label=torch.from_numpy(np.where(known, prepared.label[source].astype(np.int64) + 1, 0)),
        )


class RowCollator(Collator):
    """Collect the rows' histories, targets and distinct items; C is 1, the behavior's own item.

    Args:
        prepared: The behaviors.
        history: Which behaviors a row sees.
        catalogue: The items' texts.
        user_vocab: ``[U]`` int64, the vocabulary row of each user code (0: no training row).
        target: ``[R]`` float32 ratings, NaN where absent, or int64 places among the labels, -1 where absent.
        with_texts: Whether batches hold texts and fields; False where the network looks item vectors up in a table.
        profiles: What is known of the U users besides behaviors, where the data has it.
        drawn: Draws negatives into training batches, where they are wanted.
    """

    def __init__(
        self,
        prepared: Prepared,
        history: BoundHistory,
        catalogue: Catalogue,
        user_vocab: Int64s,
        target: Float32s | Int64s,
        *,
        with_texts: bool,
        profiles: Catalogue | None = None,
        drawn: DrawnItems | None = None,
    ) -> None:
        parts = prepared, catalogue, user_vocab
        super().__init__(*parts, with_texts=with_texts, profiles=profiles, drawn=drawn)
        self._history, self._target = history, target

    def __call__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of ``batch.rows``."""
        rows, prepared = batch.rows, self._prepared
        rng = np.random.default_rng(batch.seed) if batch.seed is not None else None
        history = self._history.of(rows, rng)
        candidate = np.asarray(prepared.item[rows], dtype=np.int64)
        texts, items, (seen, own), drawn = self._distinct(
            rng, history.item[history.mask], candidate
        )
        target = torch.from_numpy(self._target[rows][:, None])
        known = ~torch.isnan(target) if target.is_floating_point() else target >= 0
        ones = torch.ones((len(rows), 1), dtype=torch.bool)
        users, row, impression = self._of_rows(rows)
        return RecBatch(
            texts=texts,
            items=items,
            users=users,
            history=self._slots(history, seen, prepared.timestamp[rows]),
            candidates=Candidates(own.reshape(-1, 1), ones),
            target=Target(torch.where(known, target, 0), known),
            row=row,
            impression=impression,
            drawn=drawn,
        )


class NextItemCollator(RowCollator):
    """Collect rows whose own item is predicted: the target is its place among the batch's items.

    Rows whose ``target`` ``[R]`` is 0 or more are predicted. Evaluation batches hold the items that users had seen.
    """

    _history: BoundOrderedHistory

    def __call__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of ``batch.rows``."""
        found = super().__call__(batch)
        asked = found.target.mask
        seen = SeenItems.of_pairs(*self._history.seen(batch.rows)) if batch.seed is None else None
        target = Target(found.candidates.item_index * asked, asked)
        return replace(found, target=target, seen=seen)
