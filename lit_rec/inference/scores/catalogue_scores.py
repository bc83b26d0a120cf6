"""CatalogueState: a Recommender's items and their scores, as immutable values; the vectors of its catalogue."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.batches.request import Seen, request_batch
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError
from lit_rec.inference.index.approximate_index import ApproximateIndex
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.item_index import IndexFactory, ItemIndex
from lit_rec.inference.index.item_vectors import ItemVectors, by_column
from lit_rec.inference.index.stored_items import StoredItems
from lit_rec.inference.scores.similar_items import SimilarItems
from lit_rec.inference.scores.user_scores import UserScores, keys_of
from lit_rec.inference.stored.model import BuiltModule
from lit_rec.training.checkpoint.content import catalogue_of, facts_of

Profile = tuple[Texts, Items]


@dataclass(frozen=True)
class Asker:
    """The user of a request.

    Args:
        seen: The history, oldest first; rows after those of the catalogue and of remembered items point into
            ``extra``.
        extra: ``[n, D]``, vectors of items that are not in the catalogue.
        user_row: The user's row in the id vocabulary, 0 for none.
        now: Time of the request in seconds; None: ages are unknown.
        profile: The user's profile.
        label: The label whose probability is asked for.
    """

    seen: Sequence[Seen]
    extra: Tensor
    user_row: int = 0
    now: float | None = None
    profile: Profile | None = None
    label: str | None = None


class CatalogueScores:
    """Scores of a catalogue's items by rows; if they are inner products of vectors, an index finds the best.

    It is immutable: methods that add or remove items return a new one, which shares all that has not changed.

    Args:
        module: The module, built and loaded, of two towers.
        facts: Facts of its data.
        vectors: ``[I, D]``, the catalogue's.
        index: Builds the index that finds the best by inner products; None: the exact index, if scores are products.

    Raises:
        ConfigError: If an index is given, but scores are not inner products.
    """

    def __init__(
        self, module: BuiltModule, facts: Facts, vectors: Tensor, index: IndexFactory | None = None
    ) -> None:
        self._module, self._facts = module, facts
        # vectors of remembered items, whose rows come after the catalogue's
        self._remembered = vectors.new_zeros(0, vectors.shape[1])
        self._description: Tensor | None = None  # made at the first request that needs it
        self._similar: SimilarItems | None = None
        self._vectors = ItemVectors(vectors)
        by_products = self._users(Asker([], self.no_vectors())).by_products
        if index is not None and not by_products:
            network = type(module.built()).__name__
            raise ConfigError(
                f"it cannot be used: a {network} of these parts looks at user and item together",
                where="index",
                rule="scores that are inner products: a head with `queries`, "
                "and users that do not depend on the candidate",
                remedy="leave it out, and every item is scored; or train with DotHead or CosineHead",
            )
        if index is None and by_products and vectors.device.type == "cpu":
            vectors = by_column(vectors)  # faster for one user at a time
            self._vectors = ItemVectors(vectors)
        keys = keys_of(module.built(), vectors)
        self._index = (index or ExactIndex)(keys)
        # if keys and vectors are the same, they are held only once
        searched = _in_index(self._index)
        self._are_keys = searched is not None and searched.holds(vectors)

    def with_more(self, vectors: Tensor) -> CatalogueScores:
        """Return the scores of these items and of more ``[n, D]`` after the last."""
        index = self._index.copy()
        index.add_items(keys_of(self._module.built(), vectors))
        return self._with(index, lambda: self._vectors.with_more(vectors))

    def without(self, rows: Int64s) -> CatalogueScores:
        """Return the scores without some rows in lists; histories may still hold them."""
        index = self._index.copy()
        index.remove_items(rows)
        return self._with(index, lambda: self._vectors)

    def compacted(self, rows: Int64s, remembered: Int64s) -> CatalogueScores | None:
        """Return the scores without the rows of removed items; None: the index cannot free rows.

        Args:
            rows: All rows that were not removed, in their order; they become the rows 0, 1, ...
            remembered: Rows of removed items that a history may still name; their new rows come after those.
        """
        index = self._index.copy()
        if not index.drop_removed():
            return None
        order = np.argsort(remembered)
        vectors = self._take(torch.from_numpy(remembered[order]))
        fewer = self._with(index, lambda: self._vectors.only(torch.from_numpy(rows)))
        fewer._remembered = vectors[torch.from_numpy(np.argsort(order)).to(vectors.device)]
        return fewer

    def _with(self, index: ItemIndex, vectors: Callable[[], ItemVectors]) -> CatalogueScores:
        changed, searched = copy(self), _in_index(index)
        changed._description = changed._similar = None
        changed._index = index
        changed._vectors = searched if self._are_keys and searched is not None else vectors()
        return changed

    def _take(self, rows: Tensor, extra: Tensor | None = None) -> Tensor:
        """Return the vectors of increasing rows ``[n]``: of the catalogue, remembered items, and ``extra``."""
        tables = [t for t in (self._remembered, extra) if t is not None and len(t)]
        if not tables:
            return self._vectors.take(rows)
        rows = rows.to(self._vectors.device)
        first = len(self._vectors)
        found = [self._vectors.take(rows[rows < first])]
        for table in tables:
            places = rows[(rows >= first) & (rows < first + len(table))] - first
            found.append(table[places.to(table.device)])
            first += len(table)
        return torch.cat(found)

    def no_vectors(self) -> Tensor:
        """Return an empty table of vectors ``[0, D]``."""
        return self._vectors.take(torch.empty(0, dtype=torch.int64))

    @torch.no_grad()
    def of(self, asker: Asker, rows: Int64s) -> tuple[Float64s, Float64s]:
        """Return the sort keys and shown scores of ``rows``, ``[C]`` each."""
        return _sorting_and_shown(self._users(asker), torch.from_numpy(rows))

    @torch.no_grad()
    def best(
        self, asker: Asker, k: int, allow: Int64s | None, closed: Int64s
    ) -> tuple[Int64s, Float64s, Float64s]:
        """Return the rows of the k best items, best first, their sort keys, and their shown scores.

        Equal items are in the catalogue's order.

        Args:
            asker: The user.
            k: Number of items.
            allow: Only these rows.
            closed: Not these rows.
        """
        users = self._users(asker)
        found = users.best(self._index, k, allow=allow, deny=closed).rows[0]
        found = found[found >= 0]
        return found.cpu().numpy(), *_sorting_and_shown(users, found)

    @torch.no_grad()
    def similar(
        self, row: int, extra: Tensor, k: int, allow: Int64s | None, closed: Int64s
    ) -> tuple[Int64s, Float64s]:
        """Return the rows of the k items most similar to another one, and their cosines: see ``SimilarItems``.

        Args:
            row: The item: one of the catalogue, a remembered one, or one of ``extra``.
            extra: ``[n, D]``, vectors of items that are not in the catalogue.
            k: Number of items.
            allow: Only these rows.
            closed: Not these rows, with those of removed items.
        """
        if self._similar is None:
            self._similar = SimilarItems(self._module.built(), self._vectors)
        vector = self._take(torch.tensor([row]), extra)
        only = None if allow is None else torch.from_numpy(allow)
        rows, cosines = self._similar.best(vector, k, torch.from_numpy(closed), only)
        return rows.numpy(), cosines.double().numpy()

    def _users(self, asker: Asker) -> UserScores:
        network = self._module.built()
        no_rows = np.empty(0, np.int64)
        batch = request_batch(asker.seen, no_rows, asker.user_row, asker.now, asker.profile)
        batch = batch.to(self._module.device)
        given = batch.users.profiles
        profiles = None if given is None else network.encode_profiles(given.texts, given.users)

        def take(rows: Tensor) -> Tensor:
            return self._take(rows, asker.extra)

        return UserScores(network, self._facts, batch, profiles, take, self._described, asker.label)

    def _described(self) -> Tensor:
        """Return what represents the catalogue's items ``[I, D']``, in their order."""
        if self._description is None:
            network, parts = self._module.built(), [self._vectors.take(torch.arange(0))]
            parts += [block for _, block in self._vectors.blocks(len(self._vectors))]
            self._description = torch.cat([network.described_in(part) for part in parts])
        return self._description


def _in_index(index: ItemIndex) -> ItemVectors | None:
    """Return the vectors of an index of lit_rec; None for other indexes."""
    return index.vectors if isinstance(index, ExactIndex | ApproximateIndex) else None


def _sorting_and_shown(users: UserScores, rows: Tensor) -> tuple[Float64s, Float64s]:
    """Return sort keys and shown scores of rows ``[C]`` for the only user."""
    if not len(rows):
        return np.empty(0), np.empty(0)
    sorting, shown = users.sorting_and_shown(slice(0, 1), rows.unsqueeze(0))
    return sorting[0].double().cpu().numpy(), shown[0].double().cpu().numpy()


@dataclass(frozen=True)
class CatalogueState:
    """The items and their scores, with the same rows; immutable.

    A ``Recommender`` holds one state. A reader reads it once and uses nothing else. A change of the catalogue builds a
    new state and replaces the old one by one assignment.

    Args:
        items: Ids, rows and columns.
        scores: Vectors and the index.
    """

    items: StoredItems
    scores: CatalogueScores

    def with_more(
        self, ids: Sequence[str], columns: Mapping[str, Sequence[str | None]], vectors: Tensor
    ) -> CatalogueState:
        """Return the state with more items after the last.

        Raises:
            DataError: If a vector ``[n, D]`` is not finite.
        """
        return CatalogueState(self.items.with_more(ids, columns), self.scores.with_more(vectors))

    def without(
        self, rows: Int64s, always_remembered: Callable[[], Container[str]]
    ) -> CatalogueState:
        """Return the state without some rows in lists; if many rows are removed, they are freed.

        Args:
            rows: Rows of items; those of remembered items are ignored, because they are removed already.
            always_remembered: Returns the ids that are never forgotten; called only if rows are freed.
        """
        rows = rows[rows < len(self.items)]
        items, scores = self.items.without(rows.tolist()), self.scores.without(rows)
        if items.has_many_removed:
            fewer, remembered = items.compacted(always_remembered())
            left = [row for row in range(len(items)) if row not in items.removed]
            compacted = scores.compacted(np.array(left, np.int64), np.array(remembered, np.int64))
            if compacted is not None:
                return CatalogueState(fewer, compacted)
        return CatalogueState(items, scores)


def catalogue_vectors(module: BuiltModule, content: dict[str, Any], where: str = "") -> Tensor:
    """Return the vectors of the catalogue's items ``[I, D]`` on the module's device.

    A checkpoint whose weights were never evaluated, such as averaged ones, holds no vectors. They are then read from
    the cache of ``lit-rec test`` if it exists, or else encoded.

    Args:
        module: The module, built and loaded.
        content: The checkpoint's content.
        where: The checkpoint's file, if it has one.
    """
    vectors: Tensor | None = content["catalogue"]["vectors"]
    if vectors is not None:
        return vectors.to(module.device)
    catalogue = catalogue_of(content, facts_of(content))
    folder = _cache(content, where)
    if folder is None:
        return module.item_table(catalogue)
    # with Lightning
    from lit_rec.vectors.cached_table import CachedTables
    from lit_rec.vectors.evaluation_tables import FOLDER

    cached = CachedTables(module.built(), module.device, folder / FOLDER)
    return cached.table(catalogue, lambda rows: module.item_table(catalogue, rows))


def _cache(content: dict[str, Any], where: str) -> Path | None:
    """Return the cache folder of an evaluation if it exists; nothing is written to other folders."""
    data = (content["config"] or {}).get("data") or {}
    named = data.get("init_args", {}).get("cache_folder")
    from lit_rec.training.checkpoint.options import cache_of_checkpoint, is_cache

    if not isinstance(named, str):
        return None
    folder = Path(cache_of_checkpoint(named, Path(where)) if where else named)
    return folder if is_cache(folder) else None
