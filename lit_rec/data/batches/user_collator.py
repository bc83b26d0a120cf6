"""Blocks of users with all their behaviors: batches for making lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.batches.batch import Candidates, HistorySlots, RecBatch, Target
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.collator import BatchRows, Collator
from lit_rec.data.facts import Facts
from lit_rec.data.history.rule import History
from lit_rec.data.history.windows import HistoryRows, window
from lit_rec.data.prepared import Prepared


@dataclass(frozen=True)
class UserBlock:
    """B consecutive users of the data, and the items that each has seen.

    Args:
        number: The number of the block; -1: an empty block, for a process that has no work.
        users: Their codes.
        batch: The users as a batch of B rows without candidates.
        seen: ``[S]`` int64 rows of the catalogue, of all users end to end; an item may repeat.
        seen_count: ``[B]`` int64, how many of ``seen`` belong to each user.
    """

    number: int
    users: range
    batch: RecBatch
    seen: Tensor
    seen_count: Tensor

    def __len__(self) -> int:
        """Return B, the number of users."""
        return len(self.users)

    def to(self, *args: Any, **kwargs: Any) -> UserBlock:
        """Return a copy whose batch is on another device; ``seen`` stays, since searches read it on the CPU."""
        return replace(self, batch=self.batch.to(*args, **kwargs))


class UserHistories:
    """All behaviors of each user that count in a history, of all parts: a checkpoint stores the same.

    Args:
        prepared: The behaviors.
        rule: Says which behaviors count, and how many a network reads.
    """

    def __init__(self, prepared: Prepared, rule: History) -> None:
        counts = rule.where.mask(prepared)
        self._prepared, self._max_length = prepared, rule.max_length
        self._places, self._until = _by_user(prepared, counts)
        self._taken, self._taken_until = _by_user(prepared, rule.takes(prepared))

    def newest(self, users: Int64s) -> HistoryRows:
        """Return the newest behaviors of users ``[B]``, as many as a network reads."""
        high = self._until[users + 1]
        low = np.maximum(self._until[users], high - self._max_length)
        return window(self._prepared, self._places, low, high)

    def seen(self, users: range) -> tuple[Int64s, Int64s]:
        """Return the seen items ``[S]`` of consecutive users, end to end, and how many belong to each user ``[B]``."""
        until = self._taken_until[users.start : users.stop + 1]
        places = self._taken[until[0] : until[-1]]
        return np.asarray(self._prepared.item[places], np.int64), np.diff(until)


def _by_user(prepared: Prepared, counts: Bools) -> tuple[Int64s, Int64s]:
    """Return the rows that count ``[S]``, and where among them each user's begin ``[U + 1]``."""
    until: Int64s = np.concatenate([[0], np.cumsum(counts)])[prepared.offsets]
    return np.flatnonzero(counts), until


class UserCollator(Collator):
    """Collect users with their newest behaviors.

    A ``Recommender`` that is given no time sees users in the same way: behaviors have no age. Where ratings are
    predicted, a behavior without a rating counts as liked. Where two labels are predicted, one without a label counts
    as positive.

    Args:
        prepared: The behaviors, with the event and label codes that a network knows.
        histories: The behaviors of each user.
        catalogue: The items.
        user_vocab: ``[U]`` int64, the vocabulary row of each user code (0: no training row).
        facts: What a network knows of the data.
        profiles: What is known of the U users besides behaviors, where the data has it.
    """

    def __init__(
        self,
        prepared: Prepared,
        histories: UserHistories,
        catalogue: Catalogue,
        user_vocab: Int64s,
        facts: Facts,
        profiles: Catalogue | None,
    ) -> None:
        super().__init__(prepared, catalogue, user_vocab, with_texts=False, profiles=profiles)
        self._histories, self._facts = histories, facts

    def __call__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of the users whose codes are ``batch.rows``."""
        users = batch.rows
        history = self._histories.newest(users)
        texts, items, (seen,), _ = self._distinct(None, history.item[history.mask])
        slots = self._slots(history, seen, np.full(len(users), np.nan))
        none = torch.zeros((len(users), 0), dtype=torch.int64)
        outside = torch.full((len(users),), -1)
        return RecBatch(
            texts=texts,
            items=items,
            users=self._users(users),
            history=self._liked(slots),
            candidates=Candidates(none, none.bool()),
            target=Target(none, none.bool()),
            row=outside,
            impression=outside,
        )

    def _liked(self, slots: HistorySlots) -> HistorySlots:
        facts, rating, label = self._facts, slots.rating, slots.label
        liked = facts.target.liked_rating(facts.rating_high)
        rating = torch.where(slots.mask & rating.isnan(), liked, rating)
        if facts.history_labels and len(facts.labels) == 2:
            label = torch.where(slots.mask & (label == 0), 2, label)
        return replace(slots, rating=rating, label=label)


class UserBlocks(Dataset[UserBlock]):
    """The blocks of one process.

    Each block belongs to one process. A process without work has one empty block.

    Args:
        collator: Makes batches of users.
        histories: The behaviors of each user.
        blocks: The blocks to be made: number and users.
        rank: The number of this process.
        processes: The number of processes.
    """

    def __init__(
        self,
        collator: UserCollator,
        histories: UserHistories,
        blocks: Sequence[tuple[int, range]],
        rank: int,
        processes: int,
    ) -> None:
        self._collator, self._histories = collator, histories
        # the Trainer calls no hooks on a process without batches, and the other processes would wait for it
        self._blocks = list(blocks[rank::processes]) or [(-1, range(0))]

    def __len__(self) -> int:
        """Return the number of this process's blocks."""
        return len(self._blocks)

    def __getitem__(self, place: int) -> UserBlock:
        """Return a block."""
        number, users = self._blocks[place]
        seen, count = map(torch.from_numpy, self._histories.seen(users))
        batch = self._collator(BatchRows(np.array(users, np.int64)))
        return UserBlock(number, users, batch, seen, count)

    def loader(self, num_workers: int) -> DataLoader[Any]:
        """Return a loader that yields one block at a time."""
        return DataLoader(self, batch_size=None, num_workers=num_workers)
