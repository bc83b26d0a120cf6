"""ExactIndex: the best items by comparing a query with all of them, in constant memory."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Self

from torch import Tensor

from lit_rec.inference.index.exact_search import ExactSearch
from lit_rec.inference.index.item_index import CHANGES, Found, ItemIndex, Rescore
from lit_rec.inference.index.item_vectors import ItemVectors
from lit_rec.inference.index.search_space import Rows, SearchSpace


class ExactIndex(ItemIndex):
    """Compare each query with all vectors, a block of queries and of items at a time.

    A matrix product rounds by the shape of its block, so it only chooses candidates: somewhat more than k, whose scores
    are then summed alike, one item like another. Where what was left out comes as near as rounding reaches, more are
    chosen. So equal vectors have equal scores wherever they stand, and on the CPU a query's list does not depend on the
    queries beside it.

    Args:
        vectors: ``[I, D]``; kept, not copied, where they are float32, and contiguous or as ``by_column`` lays them,
            which answers one query at a time sooner on a CPU. The index computes where they are.
        block_items: Items of a block, for as many queries as ``block_queries``; fewer queries take more items at once.
        block_queries: Queries of a block. A search holds ``block_queries * block_items`` scores at once.

    Raises:
        ValueError: If ``vectors`` is no matrix, or a block is empty.
        DataError: If a vector is not finite.

    Example:
        >>> import torch
        >>> index = ExactIndex(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
        >>> index.search(torch.tensor([[2.0, 1.0]]), 2, seen=[[0]])
        Found(rows=tensor([[2, 1]]), scores=tensor([[2., 1.]]))
    """

    def __init__(
        self, vectors: Tensor, block_items: int = 32_768, block_queries: int = 128
    ) -> None:
        if block_items < 1 or block_queries < 1:
            raise ValueError(f"blocks of {block_items} items and {block_queries} queries are empty")
        search = ExactSearch.of(vectors)
        # whoever searches reads this once, and whoever changes the index puts another value here
        self._now = replace(search, block_items=block_items, block_queries=block_queries)

    def __len__(self) -> int:
        """Return how many items can be found."""
        return len(self._now)

    @property
    def vectors(self) -> ItemVectors:
        """The vectors of all rows, those of removed items too."""
        return self._now.vectors

    @property
    def removed(self) -> Tensor:
        """Rows that are never found, sorted, on the CPU."""
        return self._now.removed

    def add_items(self, vectors: Tensor) -> range:
        """Add items after the last: see ``ItemIndex``."""
        with CHANGES:
            first = len(self._now.vectors)
            self._now = self._now.with_more(vectors)
            return range(first, len(self._now.vectors))

    def remove_items(self, rows: Rows) -> None:
        """Never find these rows again: see ``ItemIndex``."""
        with CHANGES:
            self._now = self._now.without(rows)

    def drop_removed(self) -> bool:
        """Give the rows of removed items back: see ``ItemIndex``."""
        with CHANGES:
            self._now = self._now.of_kept()
        return True

    def copy(self) -> Self:
        """Return an index that changes apart from this one, and shares its vectors."""
        return copy(self)

    def space(
        self, queries: int, seen: Sequence[Rows] | None, allow: Rows | None, deny: Rows
    ) -> SearchSpace:
        """Return what may be found: see ``ItemIndex``."""
        return self._now.space(queries, seen, allow, deny)

    def search(
        self,
        queries: Tensor,
        k: int,
        *,
        seen: Sequence[Rows] | None = None,
        allow: Rows | None = None,
        deny: Rows = (),
        rescore: Rescore | None = None,
    ) -> Found:
        """Return the k best items of each query: see ``ItemIndex``.

        If ``rescore`` gives no such products, all items are rescored.
        """
        return self._now.find(queries, k, seen=seen, allow=allow, deny=deny, rescore=rescore)
