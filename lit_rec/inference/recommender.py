"""Recommender: recommendations and ratings from a checkpoint alone."""

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
from lit_rec.data.tables.shown_columns import shown_columns
from lit_rec.inference.index.item_index import IndexFactory
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
from lit_rec.inference.stored.items import StoredItems
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
    """Recommend from a checkpoint: no YAML, no data folder, no encoder folder and no network are needed.

    A history is a list of item ids, or of mappings with ``item_id`` (or the columns of the text, such as ``title``, for
    an item that the catalogue does not have) and optional ``rating``, ``label``, ``event`` and ``timestamp``. A
    behavior without a rating counts as liked: for a model of ratings it is given the highest one, for a model of two
    labels the positive one. For a model of labels, scores are probabilities: of the positive one of two, or of the
    ``label`` asked for.

    Many threads may read one Recommender while others add and remove items. An answer is that of one state of the
    catalogue, the one when the call began, and no reader waits; changes are made one at a time, each whole or not at
    all.

    Args:
        module: The module, built and loaded.
        content: The checkpoint's content.
        where: What the checkpoint is called in errors.
        index: What searches the catalogue: see ``from_checkpoint``.

    Raises:
        ConfigError: If the network is of another kind, or an index is given that could not be asked.

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
        # the state has all that is needed of the catalogue; held here as well, it would outlive items that are removed
        self._content = {name: part for name, part in content.items() if name != "catalogue"}
        # read once by each answer, and replaced as a whole: see CatalogueState
        self._state = CatalogueState(items, CatalogueScores(module, self._facts, vectors, index))
        self._changes = Lock()  # one change at a time; answers do not look at it

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
            index: What searches the catalogue, such as ``ApproximateIndex.beside(path)``; by default ``ExactIndex``
                where it can.
            trust: Modules of your own that the checkpoint may name, such as ``["my_parts"]``.

        Raises:
            CheckpointError: If the file is absent, damaged, not of lit_rec, has no configuration and no ``network`` is
                given, or names what is not trusted.
            ConfigError: If its network is of another kind, or an index is given that could not be asked.
        """
        module, content = load_module(path, network, trust)
        return cls(module.to(device), content, str(path), index)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: it has a lock of its own."""
        return {name: part for name, part in vars(self).items() if name != "_changes"}

    def __setstate__(self, parts: dict[str, Any]) -> None:
        """Be a copy."""
        vars(self).update(parts, _changes=Lock())

    @property
    def item_ids(self) -> list[str]:
        """Ids of what can be recommended, in the catalogue's order: added items included, removed ones not."""
        return self._state.items.present()

    def history_of(self, user_id: str) -> list[dict[str, Any]]:
        """Return what a user of the data did, oldest first, as ``recommend`` takes it.

        Raises:
            DataError: If the data had no such user.
        """
        return self._users.history_of(user_id)

    def entry_of_text(self, text: str) -> dict[str, Any]:
        """Return a history entry for something known by its text alone.

        The text stands in the template's first column.
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
            history: What the user did, oldest first; may be empty.
            k: How many.
            user: The user's id, which adds what the model learned of it, and the profile that the data has of it.
            profile: Columns of the users table, in place of what the data has; for a model that reads profiles.
            timestamp: The time of asking in seconds, for the age of what was done; without it, nothing has an age.
            allow: Only these ids.
            deny: Not these ids.
            exclude_seen: Whether items of the history are left out.
            label: Whose probability the list is sorted by, for a model of labels; of two labels, the positive one by
                default.

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
            history: What the user did, oldest first.
            items: Ids of the catalogue.
            user: The user's id, which adds what the model learned of it, and the profile that the data has of it.
            profile: Columns of the users table, in place of what the data has; for a model that reads profiles.
            timestamp: The time of asking in seconds, for the age of what was done; without it, nothing has an age.
            label: Whose probability is asked for, for a model of labels; of two labels, the positive one by default.

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
        """Add items by their texts, without training: each is encoded once and can be recommended at once.

        The id of a removed item may be given again: it then names the new item, which is known by its text alone.

        Args:
            items: item_id and the columns of the text template; columns of other fields may be missing, and are empty
                then.

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
        """Never recommend these items again; all else that names them, such as a history, goes on as before.

        Once an eighth of all rows, and more than 1,024, are of removed items, these rows are given back. What a history
        of the data names is remembered for good by its id and vector; of others, as many as the catalogue has items,
        and at least 10,000, those that were removed last. An id that was removed before them is unknown, as if it had
        never been there.

        Args:
            items: Ids of the catalogue; what was removed before stays so.

        Raises:
            DataError: If an id is not in the catalogue; then none is removed.
        """
        with self._changes:
            rows = _rows(items, self._state.items, where="remove_items")
            self._state = self._state.without(rows, self._users.item_ids)

    def _seen(
        self, history: Sequence[HistoryEntry], state: CatalogueState
    ) -> tuple[list[Seen], Tensor]:
        """Read a history; items known by text alone get rows after all others, and vectors of their own."""
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
    """Return the rows of ids, of removed and remembered items too."""
    found = [item_row(id_, items, where=where) for id_ in listed(ids, where=where)]
    return np.array(found, np.int64)


def _searched(ids: Iterable[str], items: StoredItems, *, where: str) -> Int64s:
    """Return the rows of ids, but for those that no search looks at."""
    rows = _rows(ids, items, where=where)
    return rows[rows < len(items)]
