"""Reranker: scores of few items by a network that reads history and item together, from a checkpoint alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.batches.request import Seen, joined, request_batch
from lit_rec.inference.index.stored_items import StoredItems
from lit_rec.inference.requests.entries import HistoryEntry, listed, record_of
from lit_rec.inference.requests.items import NamedItems, read_history
from lit_rec.inference.requests.values import at_least_one
from lit_rec.inference.stored.model import BuiltModule
from lit_rec.inference.stored.network import LoadedNetwork
from lit_rec.tasks.registry import task_of
from lit_rec.training.checkpoint.content import catalogue_of


@dataclass(frozen=True)
class RankedItem:
    """One item of a list: its place among the items asked for (from 0), id (None: given by text), score, and columns.

    ``unclipped`` is a rating before it is clipped to the range of ratings; None if scores are not clipped.

    Example:
        >>> asked = ["181", {"title": "A film nobody has seen"}]
        >>> best = RankedItem(1, None, 4.5, {"title": "A film nobody has seen"})
        >>> asked[best.place]
        {'title': 'A film nobody has seen'}
    """

    place: int
    item_id: str | None
    score: float
    fields: dict[str, str | None]
    unclipped: float | None = None


@dataclass(frozen=True)
class _Asked:
    """A request: the history, and the rows ``[C]`` of the items to score."""

    seen: list[Seen]
    rows: Int64s
    named: NamedItems


class Reranker(LoadedNetwork):
    """Rank few items with a ``CrossEncoder``, which reads the history and each item as one text.

    Histories are given as to a ``Recommender``, and items in the same way: ids of the catalogue, or mappings with the
    columns of the text. Each item costs a pass through the encoder, so let a ``Recommender`` choose the candidates.
    Many threads may use one Reranker.

    Example:
        >>> rec = Recommender.from_checkpoint("checkpoints/quickstart/version_0/best.ckpt")  # doctest: +SKIP
        >>> cross = Reranker.from_checkpoint("checkpoints/cross/version_0/best.ckpt")  # doctest: +SKIP
        >>> cross.rerank(history, [r.item_id for r in rec.recommend(history, 100)], k=10)  # doctest: +SKIP
    """

    takes, lacks = "cross-encoder", "does not read history and item together"

    def __init__(self, module: BuiltModule, content: dict[str, Any], where: str = "") -> None:
        super().__init__(module, content, where)
        stored = content["catalogue"]
        self._items = StoredItems.of(stored["item_id"], stored["columns"])
        self._catalogue = catalogue_of(content, self._facts)

    @property
    def item_ids(self) -> list[str]:
        """Ids of the catalogue."""
        return self._items.present()

    def entry_of_text(self, text: str) -> dict[str, Any]:
        """Return an entry for an item that is given by its text, as a value of the template's first column."""
        return self._texts.record_of(text)

    def rerank(
        self,
        history: Sequence[HistoryEntry],
        items: Sequence[HistoryEntry],
        k: int = 10,
        *,
        label: str | None = None,
    ) -> list[RankedItem]:
        """Return the k best of the items, best first; equal scores in the order asked.

        Args:
            history: The user's behaviors, oldest first; may be empty.
            items: Ids of the catalogue, or mappings with the columns of the text.
            k: Number of items.
            label: Label by whose probability the list is sorted, for a model of labels; for two labels the positive
                one is the default.

        Raises:
            DataError: If an id is not in the catalogue, an item has no text, a rating is out of range, or the label is
                not one of the data's.
        """
        k = at_least_one(k)
        asked = self._read(history, items)
        sorting, shown = self._scores(asked, label)
        best = np.argsort(-sorting, kind="stable")[:k]
        found = [self._ranked(int(b), asked, float(shown[b])) for b in best]
        if not task_of(self._facts).clips:
            return found
        return [replace(one, unclipped=float(sorting[one.place])) for one in found]

    def score_meaning(self, label: str | None = None) -> str:
        """Return in a few words what scores are, such as "predicted rating, 1 to 5".

        Args:
            label: The label asked for, for a model of labels.
        """
        return task_of(self._facts).score_meaning(self._facts, label)

    def score(
        self,
        history: Sequence[HistoryEntry],
        items: Sequence[HistoryEntry],
        *,
        label: str | None = None,
    ) -> list[float]:
        """Return the score of each item, in the order asked: ratings, or probabilities for a model of labels.

        Args:
            history: The user's behaviors, oldest first; may be empty.
            items: Ids of the catalogue, or mappings with the columns of the text.
            label: Label whose probability is returned, for a model of labels; for two labels the positive one is the
                default.

        Raises:
            DataError: As ``rerank`` does.
        """
        _, shown = self._scores(self._read(history, items), label)
        return [float(s) for s in shown]

    def _read(self, history: Sequence[HistoryEntry], items: Sequence[HistoryEntry]) -> _Asked:
        named = NamedItems(self._items, self._texts)
        seen = read_history(history, named, self._facts)
        entries = listed(items, where="items")
        rows = [named.row(record_of(entry, where="items"), where="items") for entry in entries]
        return _Asked(seen, np.array(rows, np.int64), named)

    def _ranked(self, place: int, asked: _Asked, score: float) -> RankedItem:
        row = int(asked.rows[place])
        if row < len(self._items):
            return RankedItem(place, self._items.id(row), score, self._items.fields(row))
        return RankedItem(place, None, score, asked.named.shown(row))

    @torch.no_grad()
    def _scores(self, asked: _Asked, label: str | None) -> tuple[Float64s, Float64s]:
        """Return sort keys and shown scores of the items; an item that is asked for twice is scored once."""
        if not len(asked.rows):
            return np.empty(0), np.empty(0)
        seen = asked.seen[-self._content["history_length"] :]
        distinct, place_of = np.unique(asked.rows, return_inverse=True)
        rows, place = np.unique([*(s.item for s in seen), *distinct], return_inverse=True)
        slots = [replace(s, item=int(p)) for s, p in zip(seen, place[: len(seen)], strict=True)]
        texts, items = self._take(rows, asked.named)
        batch = replace(request_batch(slots, place[len(seen) :], 0, None), texts=texts, items=items)
        network = self._module.built()
        scores: Tensor = network(batch.to(self._module.device))
        task = task_of(self._facts)
        found = task.sorting_and_shown(scores[0], self._facts, network.gives, label)
        sorting, shown = (values.double().cpu().numpy() for values in found)
        return sorting[place_of], shown[place_of]

    def _take(self, rows: Int64s, named: NamedItems) -> tuple[Texts, Items]:
        """Return the texts and items of distinct rows, first those of the catalogue."""
        known, new = rows[rows < len(self._items)], rows[rows >= len(self._items)]
        parts = [self._catalogue.take(known)] if len(known) else []
        if len(new):
            texts, items = named.catalogue().take(new - len(self._items))
            outside = torch.full_like(items.catalogue_row, -1)
            parts.append((texts, replace(items, catalogue_row=outside)))
        return joined(parts)
