"""Recommender: recommendations and scores, from a checkpoint alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import polars as pl
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.request import Seen
from lit_rec.data.tables.column_values import shown_columns
from lit_rec.inference.index.item_index import IndexFactory
from lit_rec.inference.index.stored_items import StoredItems
from lit_rec.inference.requests.entries import HistoryEntry, ItemId, item_row, listed, record_of
from lit_rec.inference.requests.frames import table_of
from lit_rec.inference.requests.history_text import entries_of
from lit_rec.inference.requests.items import NamedItems, ids_of_new_items, read_history
from lit_rec.inference.requests.values import at_least_one, id_of, time_of
from lit_rec.inference.scores.catalogue_scores import (
    Asker,
    CatalogueScores,
    CatalogueState,
    catalogue_vectors,
)
from lit_rec.inference.stored.model import BuiltModule
from lit_rec.inference.stored.network import LoadedNetwork, load_for_answers
from lit_rec.inference.stored.users import StoredProfiles, StoredUsers
from lit_rec.tasks.registry import task_of

Time = float | datetime | str


@dataclass(frozen=True)
class Recommendation:
    """One item of a list: its id, its score, and the columns of the items table.

    ``unclipped`` is a rating before it is clipped to the range of ratings; None if scores are not clipped. Lists are
    sorted by it.

    Example:
        >>> best = Recommendation("50", 4.5, {"title": "Star Wars", "year": None})
        >>> best.item_id, best.fields["title"]
        ('50', 'Star Wars')
    """

    item_id: str
    score: float
    fields: dict[str, str | None]
    unclipped: float | None = None


class Recommender(LoadedNetwork):
    """Recommend from a checkpoint alone, without YAML, data folder, encoder folder or internet.

    A history is a list of item ids or mappings, or a table of Polars or pandas. Ids are texts or whole numbers: 7 and
    "7" name the same item. A mapping has ``item_id``, or for an item that is not in the catalogue
    the columns of the text, such as ``title``; ``rating``, ``label``, ``event`` and ``timestamp`` are optional. A
    behavior without a rating counts as liked: it gets the highest rating in a model of ratings, and the positive label
    in a model of two labels. In a model of labels, scores are probabilities of the positive one of two labels, or of
    the ``label`` asked for.

    Many threads may use one Recommender while others add and remove items. Each call uses the catalogue as it was when
    the call began, and does not wait. Changes are made one at a time, each completely or not at all.

    Args:
        module: The module, built and loaded.
        content: The checkpoint's content.
        where: What the checkpoint is called in errors.
        index: Builds the index of the catalogue: see ``from_checkpoint``.

    Raises:
        ConfigError: If the network is of another kind, or an index is given that cannot be used.

    Example:
        >>> rec = Recommender.from_checkpoint("checkpoints/quickstart/version_0/best.ckpt")  # doctest: +SKIP
        >>> rec.recommend(history=["50", "181"], k=3)  # doctest: +SKIP
    """

    takes, lacks = "two towers", "has no table of item vectors to recommend from"

    def __init__(
        self,
        module: BuiltModule,
        content: dict[str, Any],
        where: str = "",
        index: IndexFactory | None = None,
    ) -> None:
        super().__init__(module, content, where)
        stored = content["catalogue"]
        items = StoredItems.of(stored["item_id"], stored["columns"])
        self._users = StoredUsers(content["users"], list(items), self._facts)
        self._profiles = StoredProfiles(content, self._facts)
        self._user_vocab = {id_: row + 1 for row, id_ in enumerate(self._facts.user_ids)}
        vectors = catalogue_vectors(module, content, where)
        # the state holds the catalogue; a second reference here would keep removed items in memory
        self._content = {name: part for name, part in content.items() if name != "catalogue"}
        # read once by each call, and replaced as a whole: see CatalogueState
        self._state = CatalogueState(items, CatalogueScores(module, self._facts, vectors, index))
        self._changes = Lock()  # for one change at a time; readers do not take it

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        *,
        network: Any = None,
        device: str = "cpu",
        index: IndexFactory | None = None,
        trust: str | Sequence[str] = (),
        base: str | Sequence[str] = (),
    ) -> Self:
        """Load a checkpoint.

        Args:
            path: A file that ``lit-rec fit`` or a Trainer with LitRec wrote.
            network: The network's factory, for a checkpoint of a run without a YAML.
            device: Where to compute.
            index: Builds the index of the catalogue, such as ``ApproximateIndex.beside(path)``; by default
                ``ExactIndex``, if scores are inner products.
            trust: Your own modules that the checkpoint may name, such as ``["my_parts"]``.
            base: Folders where the encoder may be, if the checkpoint holds only what was trained.

        Raises:
            CheckpointError: If the file is absent, damaged, not of lit_rec, has no configuration and no ``network`` is
                given, or names what is not trusted.
            ConfigError: If its network is of another kind, or an index is given that cannot be used.
        """
        module, content = load_for_answers(path, network, trust, base)
        return cls(module.to(device), content, str(path), index)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state of a copy, without the lock: a copy gets a new one."""
        return {name: part for name, part in vars(self).items() if name != "_changes"}

    def __setstate__(self, parts: dict[str, Any]) -> None:
        """Restore a copy, with a new lock."""
        vars(self).update(parts, _changes=Lock())

    @property
    def item_ids(self) -> list[str]:
        """Ids of all items that can be recommended, in the catalogue's order, with added and without removed items."""
        return self._state.items.present()

    def history_of(self, user_id: ItemId) -> list[dict[str, Any]]:
        """Return the history of a user of the data, oldest first, in the form that ``recommend`` takes.

        Raises:
            DataError: If the data had no such user.
        """
        return self._users.history_of(id_of(user_id, where="user"))

    def entry_of_text(self, text: str) -> dict[str, Any]:
        """Return a history entry for an item that is given by its text.

        The text is the value of the template's first column.
        """
        return self._texts.record_of(text)

    def entries_of(self, text: str, *, where: str = "history") -> list[dict[str, Any]]:
        """Return the history that a text such as ``50:5,181:3`` names, in the form that ``recommend`` takes.

        A part that is an id of the catalogue is not divided, so ids may contain commas and colons.

        Args:
            text: Ids, oldest first, divided by commas, each with a rating after a colon if there is one.
            where: The argument's name, for the error.

        Raises:
            DataError: If it names no item.
        """
        return entries_of(text, self._state.items.present(), where=where)

    def recommend(
        self,
        history: Sequence[HistoryEntry] | None = None,
        k: int = 10,
        *,
        user: ItemId | None = None,
        profile: Mapping[str, Any] | None = None,
        timestamp: Time | None = None,
        allow: Iterable[ItemId] | None = None,
        deny: Iterable[ItemId] = (),
        exclude_seen: bool = True,
        label: str | None = None,
    ) -> list[Recommendation]:
        """Return the k best items, best first; equal scores in the catalogue's order.

        Args:
            history: The user's behaviors, oldest first; may be empty. None: the history of ``user`` in the data, empty
                without a user.
            k: Number of items.
            user: The user's id, to use what the model has learned about this user, and the stored profile.
            profile: Columns of the users table, in place of the stored profile; for a model that reads profiles.
            timestamp: The time of the request, in seconds or as a datetime or ISO text, for the age of behaviors;
                without it they have no age.
            allow: Only these ids.
            deny: Not these ids.
            exclude_seen: Whether items of the history are left out; where only some events are predicted, such as
                purchases, those of other events, such as views, are not.
            label: Label by whose probability the list is sorted, for a model of labels; for two labels the positive
                one is the default.

        Raises:
            DataError: If an id is not in the catalogue, the data had no such user and no history is given, a rating is
                out of range, a time cannot be read, k is below 1, or the label is not one of the data's.
        """
        k, state = at_least_one(k), self._state
        if history is None:
            history = [] if user is None else self.history_of(user)
        seen, extra = self._seen(history, state)
        chosen = None if allow is None else _searched(allow, state.items, where="allow")
        closed = _searched(deny, state.items, where="deny")
        if exclude_seen:
            known = [s.item for s in seen if s.item < len(state.items) and self._is_taken(s)]
            closed = np.concatenate([closed, np.array(known, np.int64)])
        asker = self._asker(seen, extra, user, profile, timestamp, label)
        rows, keys, shown = state.scores.best(asker, k, chosen, closed)
        clips = task_of(self._facts).clips
        return [
            replace(_listed(row, score, state), unclipped=key if clips else None)
            for row, score, key in zip(rows.tolist(), shown.tolist(), keys.tolist(), strict=True)
        ]

    def similar(
        self,
        item: HistoryEntry,
        k: int = 10,
        *,
        allow: Iterable[ItemId] | None = None,
        deny: Iterable[ItemId] = (),
    ) -> list[Recommendation]:
        """Return the k items most similar to one, most similar first; equal ones in the catalogue's order.

        The score is the cosine of the items' vectors, from -1 to 1: what the model has learned of texts, other fields
        and ids, without biases such as popularity. The item itself is left out.

        Args:
            item: An id, also of an item that was added or removed, or a mapping with columns of the text, such as
                ``{"title": "A film nobody has seen"}``.
            k: Number of items.
            allow: Only these ids.
            deny: Not these ids.

        Raises:
            DataError: If an id is not in the catalogue, the item has no text, or k is below 1.
        """
        k, state = at_least_one(k), self._state
        named = NamedItems(state.items, self._texts)
        row = named.row(record_of(item, where="item"), where="item")
        extra = self._vectors_of(named, state)
        chosen = None if allow is None else _searched(allow, state.items, where="allow")
        own = [row] if row < len(state.items) else []
        closed = [*own, *state.items.removed, *_searched(deny, state.items, where="deny")]
        rows, cosines = state.scores.similar(row, extra, k, chosen, np.array(closed, np.int64))
        return [
            _listed(row, cosine, state)
            for row, cosine in zip(rows.tolist(), cosines.tolist(), strict=True)
        ]

    def score_meaning(self, label: str | None = None) -> str:
        """Return in a few words what scores of ``recommend`` and ``score`` are, such as "predicted rating, 1 to 5".

        Args:
            label: The label asked for, for a model of labels.
        """
        return task_of(self._facts).score_meaning(self._facts, label)

    def score(
        self,
        history: Sequence[HistoryEntry] | None = None,
        items: Sequence[ItemId] = (),
        *,
        user: ItemId | None = None,
        profile: Mapping[str, Any] | None = None,
        timestamp: Time | None = None,
        label: str | None = None,
    ) -> list[float]:
        """Return the model's score of each item, in the order asked: ratings, or probabilities for a model of labels.

        Args:
            history: The user's behaviors, oldest first; may be empty. None: the history of ``user`` in the data, empty
                without a user.
            items: Ids of the catalogue.
            user: The user's id, to use what the model has learned about this user, and the stored profile.
            profile: Columns of the users table, in place of the stored profile; for a model that reads profiles.
            timestamp: The time of the request, in seconds or as a datetime or ISO text, for the age of behaviors;
                without it they have no age.
            label: Label whose probability is returned, for a model of labels; for two labels the positive one is the
                default.

        Raises:
            DataError: If an id is not in the catalogue, the data had no such user and no history is given, a rating is
                out of range, a time cannot be read, or the label is not one of the data's.
        """
        state = self._state
        if history is None:
            history = [] if user is None else self.history_of(user)
        seen, extra = self._seen(history, state)
        rows = _rows(items, state.items, where="items")
        asker = self._asker(seen, extra, user, profile, timestamp, label)
        _, shown = state.scores.of(asker, rows)
        return [float(s) for s in shown]

    def add_items(self, items: pl.DataFrame | Iterable[Mapping[str, Any]]) -> None:
        """Add items by their texts, without training: each is encoded once and can then be recommended.

        The id of a removed item may be used again for a new item.

        Args:
            items: A table of Polars or pandas, or a list of mappings, with item_id and the columns of the text
                template; columns of other fields may be missing, and then count as empty.

        Raises:
            DataError: If item_id is missing, empty, repeated, or already in the catalogue, or a field's value cannot be
                read.
            ConfigError: If a column of the text is missing.
        """
        with self._changes:
            state, table = self._state, table_of(items, where="add_items")
            if table.is_empty():
                return
            ids = ids_of_new_items(table, state.items)
            columns = shown_columns(table, state.items.columns)
            rendered = self._texts.render_table(table, where="add_items")
            vectors = self._module.item_table(self._texts.catalogue(rendered))
            self._state = state.with_more(ids, columns, vectors)

    def remove_items(self, items: Iterable[ItemId]) -> None:
        """Never recommend these items again; histories may still name them.

        When more than 1,024 rows, and more than an eighth of all rows, belong to removed items, these rows are freed.
        The ids and vectors of items in the data's histories are then always remembered. Of other removed items, the
        last ones are remembered: as many as the catalogue has items, and at least 10,000. Earlier ones are unknown
        afterwards, as if they had never been in the catalogue.

        Args:
            items: Ids of the catalogue; ids of removed items have no effect.

        Raises:
            DataError: If an id is not in the catalogue; then no item is removed.
        """
        with self._changes:
            rows = _rows(items, self._state.items, where="remove_items")
            self._state = self._state.without(rows, self._users.item_ids)

    def _seen(
        self, history: Sequence[HistoryEntry], state: CatalogueState
    ) -> tuple[list[Seen], Tensor]:
        """Read a history; items that are given by text get rows after all others, and are encoded here."""
        named = NamedItems(state.items, self._texts)
        seen = read_history(history, named, self._facts)
        return seen, self._vectors_of(named, state)

    def _is_taken(self, one: Seen) -> bool:
        """Return whether an item is left out: not where the behavior's event is another one than those predicted."""
        targets, event = self._facts.target_events, one.event
        return not targets or event == 0 or self._facts.events[event - 1] in targets

    def _vectors_of(self, named: NamedItems, state: CatalogueState) -> Tensor:
        """Return the vectors of items that are given by text, in their order."""
        if not named.new:
            return state.scores.no_vectors()
        found: Tensor = self._module.item_table(named.catalogue())
        return found

    def _asker(
        self,
        seen: list[Seen],
        extra: Tensor,
        user: ItemId | None,
        profile: Mapping[str, Any] | None,
        now: Time | None,
        label: str | None,
    ) -> Asker:
        user = None if user is None else id_of(user, where="user")
        return Asker(
            seen[-self._content["history_length"] :],
            extra,
            user_row=self._user_vocab.get(user or "", 0),
            now=None if now is None else time_of(now, where="timestamp"),
            profile=self._profiles.of(user, profile),
            label=label,
        )


def _listed(row: int, score: float, state: CatalogueState) -> Recommendation:
    return Recommendation(state.items.id(row), score, state.items.fields(row))


def _rows(ids: Iterable[ItemId], items: StoredItems, *, where: str) -> Int64s:
    """Return the rows of ids, also of removed and remembered items."""
    found = [item_row(id_, items, where=where) for id_ in listed(ids, where=where)]
    return np.array(found, np.int64)


def _searched(ids: Iterable[ItemId], items: StoredItems, *, where: str) -> Int64s:
    """Return the rows of ids, without those of remembered items, which are not searched."""
    rows = _rows(ids, items, where=where)
    return rows[rows < len(items)]
