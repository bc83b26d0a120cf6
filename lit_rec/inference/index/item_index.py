"""ItemIndex: the items of a catalogue that go best with a vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from threading import RLock
from typing import Self

from torch import Tensor

from lit_rec.inference.index.search_space import Rows, SearchSpace

CHANGES = RLock()  # one index is changed at a time; searches do not look at it

# From some queries, b of them by their places, and rows of each [b, c] to the scores [b, c] that their lists are sorted
# by.
Rescore = Callable[[slice | Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Found:
    """The best items of each query, best first; equal scores in the catalogue's order.

    Args:
        rows: ``[B, k]`` int64, rows of the catalogue; -1 where fewer than k items were left.
        scores: ``[B, k]`` float32, inner products; -inf there.

    Example:
        >>> import torch
        >>> from lit_rec.inference.index.exact_index import ExactIndex
        >>> found = ExactIndex(torch.tensor([[1.0], [3.0]])).search(torch.tensor([[2.0]]), k=3, deny=[0])
        >>> found.rows.tolist(), found.scores.tolist()
        ([[1, -1, -1]], [[6.0, -inf, -inf]])
    """

    rows: Tensor
    scores: Tensor


class ItemIndex(ABC):
    """Find the items whose vectors have the largest inner products with a query.

    An item is named by its row: the first vector has row 0, added ones come after the last, and a removed one's row is
    not given away again before ``drop_removed``.

    Many threads may search an index of lit_rec while others change it: a search sees the items before a change or after
    it, and waits for none. An index of your own is safe in a ``Recommender``, which changes only copies of it that
    nobody searches yet.

    Example:
        >>> import torch
        >>> from lit_rec.inference.index.exact_index import ExactIndex
        >>> index = ExactIndex(torch.tensor([[1.0], [3.0]]))
        >>> index.add_items(torch.tensor([[2.0]]))
        range(2, 3)
        >>> index.remove_items([1])
        >>> len(index), index.search(torch.tensor([[1.0]]), k=1).rows.tolist()
        (2, [[2]])
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return how many items can be found."""

    @abstractmethod
    def space(
        self, queries: int, seen: Sequence[Rows] | None, allow: Rows | None, deny: Rows
    ) -> SearchSpace:
        """Return what this number of queries may find, removed items left out: see ``search``."""

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
            k: How many.
            seen: Rows that are left out, of each query its own.
            allow: Only these rows, for all queries.
            deny: Not these rows, for all queries.
            rescore: Takes some of the queries and rows of each ``[b, c]``, and returns the scores ``[b, c]`` by which
                these are sorted in the end, and which ``Found`` has. They are the inner products plus a constant of the
                query, but for rounding.

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
        """Give the memory of removed items back, and their rows: those after them move up, in their order.

        Returns:
            Whether this index can; if not, nothing has changed.
        """
        return False

    def copy(self) -> Self:
        """Return an index that finds the same now and changes apart from this one.

        Here all that the index holds is copied. An index that shares what does not change takes less time.
        """
        return deepcopy(self)


# From the vectors [I, D] of a catalogue to what searches them.
IndexFactory = Callable[[Tensor], ItemIndex]
