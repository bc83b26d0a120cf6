"""ItemIndex: find the items of a catalogue with the largest inner products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from threading import RLock
from typing import Self

from torch import Tensor

from lit_rec.inference.index.search_space import Rows, SearchSpace

CHANGES = RLock()  # one index is changed at a time; searches do not take it

# From the indices of b queries and rows [b, c] of each to the sort keys [b, c].
Rescore = Callable[[slice | Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Found:
    """The best items of each query, best first; ties in the catalogue's order.

    Args:
        rows: ``[B, k]`` int64, rows of the catalogue; -1 if fewer than k items were left.
        scores: ``[B, k]`` float32, inner products; -inf where the row is -1.

    Example:
        >>> import torch
        >>> found = Found(torch.tensor([[1, -1]]), torch.tensor([[6.0, -torch.inf]]))
        >>> found.rows[found.rows >= 0].tolist()  # one item was left
        [1]
    """

    rows: Tensor
    scores: Tensor


class ItemIndex(ABC):
    """Find the items whose vectors have the largest inner products with a query.

    An item is named by its row: the first vector has row 0, and added items come after the last. The row of a removed
    item is not used again before ``drop_removed``.

    Many threads may search an index of lit_rec while others change it. A search sees the items before or after a
    change, and does not wait. Your own index is safe in a ``Recommender``, which changes only copies that nobody
    searches yet. ``ExactIndex`` shows a search and changes.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of items that can be found."""

    @abstractmethod
    def space(
        self, queries: int, seen: Sequence[Rows] | None, allow: Rows | None, deny: Rows
    ) -> SearchSpace:
        """Return the items that this number of queries may find, without removed ones: see ``search``."""

    @abstractmethod
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
        """Return the k best items of each query.

        Args:
            queries: ``[B, D]``.
            k: Number of items.
            seen: Rows that are left out, for each query.
            allow: Only these rows, for all queries.
            deny: Not these rows, for all queries.
            rescore: Takes the indices of b queries and rows ``[b, c]`` of each, and returns their final scores
                ``[b, c]`` for sorting and for ``Found``. Apart from rounding, these must be the inner products plus a
                constant of the query.

        Raises:
            ValueError: If shapes disagree, k is below 1, or a row is not one of the catalogue.
            DataError: If a query is not finite.
        """

    @abstractmethod
    def add_items(self, vectors: Tensor) -> range:
        """Add items ``[n, D]`` after the last, and return their rows.

        Raises:
            ValueError: If the width is another one.
            DataError: If a vector is not finite.
        """

    @abstractmethod
    def remove_items(self, rows: Rows) -> None:
        """Never find these rows again.

        Raises:
            ValueError: If a row is not one of the catalogue.
        """

    def drop_removed(self) -> bool:
        """Free the memory and rows of removed items; later items move up, in their order.

        Returns:
            Whether this index can free rows; if not, nothing has changed.
        """
        return False

    def copy(self) -> Self:
        """Return an independent index with the same items.

        By default everything is copied. An index that shares what does not change is faster.
        """
        return deepcopy(self)


# From the vectors [I, D] of a catalogue to its index.
IndexFactory = Callable[[Tensor], ItemIndex]
