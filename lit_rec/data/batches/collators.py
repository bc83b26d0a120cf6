"""TaskCollators: the collators of one data set; they give events and labels the codes that a network knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.augmentation.behavior_augmentation import (
    AugmentedHistory,
    AugmentedSequences,
    BehaviorAugmentation,
)
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.collator import NextItemCollator, RowCollator
from lit_rec.data.batches.negatives import DrawnItems, Negatives
from lit_rec.data.batches.sequence_collator import SequenceCollator
from lit_rec.data.batches.user_collator import UserBlocks, UserCollator, UserHistories
from lit_rec.data.facts import Facts
from lit_rec.data.history.nearest_items import NearestItems
from lit_rec.data.history.rule import BoundHistory, History, in_order
from lit_rec.data.prepared import Prepared
from lit_rec.data.training_facts import target_of_rows, vocabulary_rows
from lit_rec.errors import DataError, option_of


class TaskCollators:
    """Make collators of rows and of sequences, and blocks of users.

    Args:
        prepared: The behaviors.
        facts: What a network knows of them.
        history: Which behaviors a row sees.
        catalogue: The items.
        profiles: The users' profiles, where the data has any.
        negatives: Draws items into training batches, where they are wanted.
        augmentation: Ways to change histories in training batches.
        nearest: ``[I, K]``, in place of histories of rows, the items nearest to each item.
    """

    def __init__(
        self,
        prepared: Prepared,
        facts: Facts,
        history: History,
        catalogue: Catalogue,
        profiles: Catalogue | None,
        negatives: Negatives | None,
        augmentation: Sequence[BehaviorAugmentation] = (),
        nearest: Int64s | None = None,
    ) -> None:
        self._augmentation, self._nearest = augmentation, nearest
        self._prepared, self._facts, self._history = prepared, facts, history
        self._catalogue, self._profiles = catalogue, profiles
        self._user_vocab = vocabulary_rows(facts.user_ids, prepared.user_ids)
        self._drawn = None
        if negatives is not None and negatives.draws:
            self._drawn = DrawnItems(negatives, facts, catalogue.vocab_row)

    def rows(self, *, with_texts: bool) -> RowCollator:
        """Return the collator of rows, each with its own history.

        Args:
            with_texts: Whether batches hold texts and fields.

        Raises:
            ConfigError: If the next item is predicted and the histories have no order.
        """
        follows = self._facts.target.follows
        made, history = (
            (NextItemCollator, in_order(self._history)) if follows else (RowCollator, self._history)
        )
        bound: BoundHistory = history.bind(self._prepared)
        if self._nearest is not None:
            bound = NearestItems(self._prepared, self._nearest)
        return made(
            self._view(),
            AugmentedHistory(bound, self._augmentation) if self._augmentation else bound,
            self._catalogue,
            self._user_vocab,
            target_of_rows(self._prepared, self._facts, self._history.targets),
            with_texts=with_texts,
            profiles=self._profiles,
            drawn=self._drawn,
        )

    def sequences(self) -> tuple[SequenceCollator, Int64s]:
        """Return the collator of training windows, and the last row of each window.

        Raises:
            ConfigError: If the histories have no order.
            DataError: If no training row follows another one of its user.
        """
        found = in_order(self._history).sequences(self._prepared)
        if not found.follows:
            raise DataError(
                f"none of {len(self._prepared.rows_of('train')):,} training rows follows another of its user",
                where=f"{option_of('BehaviorDataModule', 'task')}=next_item",
                rule="users with two training rows or more, one strictly later than the other",
                remedy="check the user ids, the timestamps, History.where and the split, "
                "or set ordered: true in the reader",
            )
        collator = SequenceCollator(
            self._view(),
            AugmentedSequences(found, self._augmentation) if self._augmentation else found,
            self._catalogue,
            self._user_vocab,
            profiles=self._profiles,
            drawn=self._drawn,
        )
        return collator, found.ends

    def users(self, blocks: Sequence[tuple[int, range]], rank: int, processes: int) -> UserBlocks:
        """Return one process's share of blocks of users; see ``UserBlocks``."""
        histories = UserHistories(self._prepared, self._history)
        known = self._catalogue, self._user_vocab, self._facts, self._profiles
        collator = UserCollator(self._view(), histories, *known)
        return UserBlocks(collator, histories, blocks, rank, processes)

    def _view(self) -> Prepared:
        """Return the behaviors with the event and label codes that a network knows."""
        prepared, facts = self._prepared, self._facts
        # the history's rule knows every event of the data, a network only those of its training rows
        known = {name: place for place, name in enumerate(facts.events)}
        places = np.array([*(known.get(name, -1) for name in prepared.events), -1], np.int32)
        # labels of histories have the codes of targets
        label = (
            target_of_rows(prepared, facts) if facts.history_labels else np.full(len(prepared), -1)
        )
        return replace(
            prepared,
            event=places[prepared.event],
            events=list(known),
            label=label.astype(np.int64),
            labels=list(facts.labels),
        )
