"""ExactIndex: the best items, found by comparing a query with all items, in constant memory."""

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

    The rounding of a matrix product depends on the shape of its block, so the product only chooses candidates, a few
    more than k. Their scores are then summed one by one, all alike. If the score of an item that was left out is
    within rounding error, more candidates are chosen. So equal vectors have equal scores, and on the CPU a query's list
    does not depend on the other queries.

    Args:
        vectors: ``[I, D]``; not copied if they are float32, and contiguous or in the layout of ``by_column``, which is
            faster for one query at a time on a CPU. The index computes on their device.
        block_items: Items in a block for ``block_queries`` queries; with fewer queries a block has more items.
        block_queries: Queries in a block. A search holds ``block_queries * block_items`` scores at once.

    Raises:
        ValueError: If ``vectors`` is not a matrix, or a block is empty.
        DataError: If a vector is not finite.

    Example:
        >>> import torch
        >>> index = ExactIndex(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
        >>> index.search(torch.tensor([[2.0, 1.0]]), 2, seen=[[0]])
        Found(rows=tensor([[2, 1]]), scores=tensor([[2., 1.]]))
        >>> index.add_items(torch.tensor([[3.0, 0.0]]))
        range(3, 4)
        >>> index.remove_items([2])
        >>> len(index), index.search(torch.tensor([[2.0, 1.0]]), 3, deny=[1]).rows.tolist()
        (3, [[3, 0, -1]])
    """

    def __init__(
        self, vectors: Tensor, block_items: int = 32_768, block_queries: int = 128
    ) -> None:
        if block_items < 1 or block_queries < 1:
            raise ValueError(f"blocks of {block_items} items and {block_queries} queries are empty")
        search = ExactSearch.of(vectors)
        # a search reads this once, and a change of the index replaces it by a new value
        self._now = replace(search, block_items=block_items, block_queries=block_queries)

    def __len__(self) -> int:
        """Return the number of items that can be found."""
        return len(self._now)

    @property
    def vectors(self) -> ItemVectors:
        """The vectors of all rows, also of removed items."""
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
        """Free the rows of removed items: see ``ItemIndex``."""
        with CHANGES:
            self._now = self._now.compacted()
        return True

    def copy(self) -> Self:
        """Return an independent index that shares the vectors of this one until either changes."""
        return copy(self)

    def space(
        self, queries: int, seen: Sequence[Rows] | None, allow: Rows | None, deny: Rows
    ) -> SearchSpace:
        """Return the items that may be found: see ``ItemIndex``."""
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

        If the results of ``rescore`` are not such products, all items are rescored.
        """
        return self._now.find(queries, k, seen=seen, allow=allow, deny=deny, rescore=rescore)
