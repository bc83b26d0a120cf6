"""CatalogueScores: what a network says of a catalogue's items, and which are best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lit_rec.data.batches import Items, RecBatch, Texts
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.item_index import IndexFactory, ItemIndex
from lit_rec.inference.index.item_vectors import ItemVectors
from lit_rec.inference.request_batch import request_batch
from lit_rec.inference.requests import Seen
from lit_rec.inference.told import Floats, told
from lit_rec.models.networks import TwoTower
from lit_rec.training.lit_rec import LitRec

Int64s = npt.NDArray[np.int64]
Profile = tuple[Texts, Items]


@dataclass(frozen=True)
class Asker:
    """Who asks.

    Args:
        seen: The history, oldest first; rows from the catalogue's size on are those of ``extra``.
        extra: ``[n, D]``, vectors of what the catalogue does not have.
        user_row: The user's row in the id vocabulary, 0 for none.
        now: Time of asking in seconds; None: ages are unknown.
        profile: What is known of the user beside the history.
        label: Whose probability is asked for.
    """

    seen: Sequence[Seen]
    extra: Tensor
    user_row: int = 0
    now: float | None = None
    profile: Profile | None = None
    label: str | None = None


class CatalogueScores:
    """Scores of a catalogue's items by rows; where they are inner products of vectors, an index finds the best.

    Args:
        module: The module, built and loaded, of two towers.
        facts: Facts of its data.
        vectors: ``[I, D]``, the catalogue's.
        index: Makes what finds the best by inner products; None: the exact index, where scores are such products.

    Raises:
        ConfigError: If an index is given, and scores are no inner products.
    """

    def __init__(
        self, module: LitRec, facts: Facts, vectors: Tensor, index: IndexFactory | None = None
    ) -> None:
        self._module, self._facts, self._vectors = module, facts, ItemVectors(vectors)
        self._open = np.arange(len(vectors))  # rows that can be recommended
        self._index: ItemIndex | None = None
        if self._by_products():
            self._index = (index or ExactIndex)(self._keys(vectors))
        elif index is not None:
            network = module.built()
            raise ConfigError(
                f"nothing could be found by it: a {type(network).__name__} of these parts looks at user and item together",
                where="index",
                rule="scores that are inner products: a head with `queries`, and users that look alike beside each candidate",
                remedy="leave it out, and every item is scored; or train with DotHead or CosineHead",
            )

    def add(self, vectors: Tensor) -> None:
        """Add items ``[n, D]`` after the last."""
        self._open = np.concatenate([self._open, np.array(self._vectors.add(vectors))])
        if self._index is not None:
            self._index.add_items(self._keys(vectors))

    def remove(self, rows: Int64s) -> None:
        """Leave rows out of every list; those who have done something with them keep their vectors."""
        self._open = np.setdiff1d(self._open, rows)
        if self._index is not None:
            self._index.remove_items(rows)

    def no_vectors(self) -> Tensor:
        """Return vectors ``[0, D]`` of no item."""
        return self._vectors.take(torch.empty(0, dtype=torch.int64))

    @torch.no_grad()
    def of(self, asker: Asker, rows: Int64s) -> tuple[Floats, Floats]:
        """Return what ``rows`` are sorted by and what is shown of them, ``[C]`` each."""
        if not len(rows):
            return np.empty(0), np.empty(0)
        table, batch = self._table(asker, rows)
        return self._told(asker, self._users(table, batch), table, batch)

    @torch.no_grad()
    def best(
        self, asker: Asker, k: int, allow: Int64s | None, closed: Int64s
    ) -> tuple[Int64s, Floats]:
        """Return the rows of the k best items, best first and equal ones in the catalogue's order, and what is shown of them.

        Args:
            asker: Who asks.
            k: How many.
            allow: Only these rows.
            closed: Not these rows.
        """
        users = self._users(*self._table(asker, np.empty(0, np.int64)))
        queries = self._queries(users, asker.label)
        if queries is None or self._index is None:
            rows = self._open if allow is None else np.intersect1d(self._open, allow)
            rows = np.setdiff1d(rows, closed)
            sorting, shown = self.of(asker, rows)
            best = np.argsort(-sorting, kind="stable")[:k]
            return rows[best], shown[best]

        def sorting_of(rows: Tensor) -> Tensor:
            table = self._table(asker, rows.cpu().numpy())
            sorting, _ = self._told(asker, users, *table)
            return torch.from_numpy(sorting).to(rows.device, torch.float32)

        found = self._index.search(queries, k, allow=allow, deny=closed, rescore=sorting_of).rows[0]
        rows = found[found >= 0].cpu().numpy()
        if not len(rows):
            return rows, np.empty(0)
        _, shown = self._told(asker, users, *self._table(asker, rows))
        return rows, shown

    @torch.no_grad()
    def _by_products(self) -> bool:
        """Return whether lists are sorted by inner products, as somebody without a history finds out."""
        nobody = self._table(Asker([], self.no_vectors()), np.empty(0, np.int64))
        return self._queries(self._users(*nobody), None) is not None

    @torch.no_grad()
    def _keys(self, vectors: Tensor) -> Tensor:
        """Return the items' side of the products ``[n, D']``."""
        network = self._module.built()
        return network.head.keys(vectors) if isinstance(network, TwoTower) else vectors

    def _queries(self, users: Tensor, label: str | None) -> Tensor | None:
        """Return ``[1, D]``, by whose inner products with item vectors the list is sorted; None: by something else."""
        network = self._module.built()
        # a user who looks different beside each candidate has no vector of their own
        if not isinstance(network, TwoTower) or network.gives == "class_scores" or users.dim() != 2:
            return None
        queries = network.head.queries(users)
        # the probability of the first of two labels falls as the score rises
        falls = self._facts.task == "label" and label == self._facts.labels[0]
        return -queries if queries is not None and falls else queries

    def _table(self, asker: Asker, rows: Int64s) -> tuple[Tensor, RecBatch]:
        """Return the vectors of the history's and the asked items, each once, and the batch that points into them."""
        # an empty history has a slot that points at some item
        history = np.array([one.item for one in asker.seen] or [0], np.int64)
        items, place = np.unique(np.concatenate([history, rows]), return_inverse=True)
        size = len(self._vectors)
        stored = torch.from_numpy(items[items < size])
        others = torch.from_numpy(items[len(stored) :] - size).to(asker.extra.device)
        table = torch.cat([self._vectors.take(stored), asker.extra[others]])
        seen = [replace(one, item=at) for one, at in zip(asker.seen, place.tolist(), strict=False)]
        batch = request_batch(seen, place[len(history) :], asker.user_row, asker.now, asker.profile)
        return table, batch.to(self._module.device)

    def _users(self, table: Tensor, batch: RecBatch) -> Tensor:
        network, given = self._module.built(), batch.users.profiles
        profiles = None if given is None else network.encode_profiles(given.texts, given.users)
        return network.encode_users(table, batch, profiles)

    def _told(
        self, asker: Asker, users: Tensor, table: Tensor, batch: RecBatch
    ) -> tuple[Floats, Floats]:
        network = self._module.built()
        scores = network.score(users, table, batch)
        return told(scores[0], self._facts, network.gives, asker.label)
