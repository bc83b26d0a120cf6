"""Recommender: recommendations and scores, from a checkpoint alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from lit_rec.inference.requests.entries import (
    HistoryEntry,
    at_least_one,
    item_row,
    listed,
    time_of,
)
from lit_rec.inference.requests.items import NamedItems, ids_of_new_items, read_history
from lit_rec.inference.scores.catalogue_scores import (
    Asker,
    CatalogueScores,
    CatalogueState,
    catalogue_vectors,
)
from lit_rec.inference.stored.network import LoadedNetwork, load_module
from lit_rec.inference.stored.users import StoredProfiles, StoredUsers
from lit_rec.training.lit_rec import LitRec


@dataclass(frozen=True)
class Recommendation:
    """One item of a list: its id, its score, and the columns of the items table.

    Example:
        >>> best = Recommendation("50", 4.5, {"title": "Star Wars", "year": None})
        >>> best.item_id, best.fields["title"]
        ('50', 'Star Wars')
    """

    item_id: str
    score: float
    fields: dict[str, str | None]


class Recommender(LoadedNetwork):
    """Recommend from a checkpoint alone, without YAML, data folder, encoder folder or internet.

    A history is a list of item ids or mappings. A mapping has ``item_id``, or for an item that is not in the catalogue
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
        module: LitRec,
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
    ) -> Self:
        """Load a checkpoint.

        Args:
            path: A file that ``lit-rec fit`` or a Trainer with LitRec wrote.
            network: The network's factory, for a checkpoint of a run without a YAML.
            device: Where to compute.
            index: Builds the index of the catalogue, such as ``ApproximateIndex.beside(path)``; by default
                ``ExactIndex``, if scores are inner products.
            trust: Your own modules that the checkpoint may name, such as ``["my_parts"]``.

        Raises:
            CheckpointError: If the file is absent, damaged, not of lit_rec, has no configuration and no ``network`` is
                given, or names what is not trusted.
            ConfigError: If its network is of another kind, or an index is given that cannot be used.
        """
        module, content = load_module(path, network, trust)
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

    def history_of(self, user_id: str) -> list[dict[str, Any]]:
        """Return the history of a user of the data, oldest first, in the form that ``recommend`` takes.

        Raises:
            DataError: If the data had no such user.
        """
        return self._users.history_of(user_id)

    def entry_of_text(self, text: str) -> dict[str, Any]:
        """Return a history entry for an item that is given by its text.

        The text is the value of the template's first column.
        """
        return self._texts.record_of(text)

    def recommend(
        self,
        history: Sequence[HistoryEntry] = (),
        k: int = 10,
        *,
        user: str | None = None,
        profile: Mapping[str, Any] | None = None,
        timestamp: float | None = None,
        allow: Iterable[str] | None = None,
        deny: Iterable[str] = (),
        exclude_seen: bool = True,
        label: str | None = None,
    ) -> list[Recommendation]:
        """Return the k best items, best first; equal scores in the catalogue's order.

        Args:
            history: The user's behaviors, oldest first; may be empty.
            k: Number of items.
            user: The user's id, to use what the model has learned about this user, and the stored profile.
            profile: Columns of the users table, in place of the stored profile; for a model that reads profiles.
            timestamp: The time of the request in seconds, for the age of behaviors; without it they have no age.
            allow: Only these ids.
            deny: Not these ids.
            exclude_seen: Whether items of the history are left out.
            label: Label by whose probability the list is sorted, for a model of labels; for two labels the positive
                one is the default.

        Raises:
            DataError: If an id is not in the catalogue, a rating is out of range, a time is no number, k is below 1, or
                the label is not one of the data's.
        """
        at_least_one(k)
        state = self._state
        seen, extra = self._seen(history, state)
        chosen = None if allow is None else _searched(allow, state.items, where="allow")
        closed = _searched(deny, state.items, where="deny")
        if exclude_seen:
            known = [one.item for one in seen if one.item < len(state.items)]
            closed = np.concatenate([closed, np.array(known, np.int64)])
        asker = self._asker(seen, extra, user, profile, timestamp, label)
        rows, shown = state.scores.best(asker, k, chosen, closed)
        return [
            Recommendation(state.items.id(row), score, state.items.fields(row))
            for row, score in zip(rows.tolist(), shown.tolist(), strict=True)
        ]

    def score(
        self,
        history: Sequence[HistoryEntry],
        items: Sequence[str],
        *,
        user: str | None = None,
        profile: Mapping[str, Any] | None = None,
        timestamp: float | None = None,
        label: str | None = None,
    ) -> list[float]:
        """Return the model's score of each item, in the order asked: ratings, or probabilities for a model of labels.

        Args:
            history: The user's behaviors, oldest first.
            items: Ids of the catalogue.
            user: The user's id, to use what the model has learned about this user, and the stored profile.
            profile: Columns of the users table, in place of the stored profile; for a model that reads profiles.
            timestamp: The time of the request in seconds, for the age of behaviors; without it they have no age.
            label: Label whose probability is returned, for a model of labels; for two labels the positive one is the
                default.

        Raises:
            DataError: If an id is not in the catalogue, a rating is out of range, a time is no number, or the label is
                not one of the data's.
        """
        state = self._state
        seen, extra = self._seen(history, state)
        rows = _rows(items, state.items, where="items")
        asker = self._asker(seen, extra, user, profile, timestamp, label)
        _, shown = state.scores.of(asker, rows)
        return [float(s) for s in shown]

    def add_items(self, items: pl.DataFrame) -> None:
        """Add items by their texts, without training: each is encoded once and can then be recommended.

        The id of a removed item may be used again for a new item.

        Args:
            items: item_id and the columns of the text template; columns of other fields may be missing, and then count
                as empty.

        Raises:
            DataError: If item_id is missing, empty, repeated, or already in the catalogue, or a field's value cannot be
                read.
            ConfigError: If a column of the text is missing.
        """
        with self._changes:
            state = self._state
            ids = ids_of_new_items(items, state.items)
            if not ids:
                return
            columns = shown_columns(items, state.items.columns)
            rendered = self._texts.render_table(items, where="add_items")
            vectors = self._module.item_table(self._texts.catalogue(rendered))
            self._state = state.with_more(ids, columns, vectors)

    def remove_items(self, items: Iterable[str]) -> None:
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
        if not named.new:
            return seen, state.scores.no_vectors()
        return seen, self._module.item_table(named.catalogue())

    def _asker(
        self,
        seen: list[Seen],
        extra: Tensor,
        user: str | None,
        profile: Mapping[str, Any] | None,
        now: float | None,
        label: str | None,
    ) -> Asker:
        return Asker(
            seen[-self._content["history_length"] :],
            extra,
            user_row=self._user_vocab.get(user or "", 0),
            now=None if now is None else time_of(now, where="timestamp"),
            profile=self._profiles.of(user, profile),
            label=label,
        )


def _rows(ids: Iterable[str], items: StoredItems, *, where: str) -> Int64s:
    """Return the rows of ids, also of removed and remembered items."""
    found = [item_row(id_, items, where=where) for id_ in listed(ids, where=where)]
    return np.array(found, np.int64)


def _searched(ids: Iterable[str], items: StoredItems, *, where: str) -> Int64s:
    """Return the rows of ids, without those of remembered items, which are not searched."""
    rows = _rows(ids, items, where=where)
    return rows[rows < len(items)]
