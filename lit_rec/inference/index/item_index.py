"""ItemIndex: the items of a catalogue that go best with a vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Rows = Sequence[int] | npt.NDArray[np.int64] | Tensor
# From some queries, b of them by their places, and rows of each [b, c] to the scores [b, c] that their lists are sorted by.
Rescore = Callable[[slice | Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Found:
    """The best items of each query, best first; equal scores in the catalogue's order.

    Args:
        rows: ``[B, k]`` int64, rows of the catalogue; -1 where fewer than k items were left.
        scores: ``[B, k]`` float32, inner products; -inf there.
    """

    rows: Tensor
    scores: Tensor


class ItemIndex(ABC):
    """Find the items whose vectors have the largest inner products with a query.

    An item is named by its row: the first vector has row 0, added ones come after the last, and a removed one's row is not given
    away again.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return how many items can be found."""

    @abstractmethod
    def may_find(
        self,
        rows: Tensor,
        *,
        seen: Sequence[Rows] | None = None,
        allow: Rows | None = None,
        deny: Rows = (),
    ) -> Tensor:
        """Return which rows ``[B, c]`` searches of B queries may find, ``[B, c]`` bool on the CPU; none that the catalogue does not have.

        Args:
            rows: Any numbers.
            seen: See ``search``.
            allow: See ``search``.
            deny: See ``search``.
        """

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
            rescore: Takes some of the queries and rows of each ``[b, c]``, and returns the scores ``[b, c]`` by which these are sorted
                in the end, and which ``Found`` has. They are the inner products plus a constant of the query, but for rounding.

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


# From the vectors [I, D] of a catalogue to what searches them.
IndexFactory = Callable[[Tensor], ItemIndex]


def distinct_rows(rows: Rows, size: int, name: str) -> Tensor:
    """Return rows of a catalogue, sorted and each once, on the CPU.

    Args:
        rows: The rows.
        size: Rows that the catalogue has.
        name: What they were given as, for the error.

    Raises:
        ValueError: If one is not of the catalogue.

    Example:
        >>> distinct_rows([3, 1, 3], 4, "deny")
        tensor([1, 3])
    """
    found = sorted_distinct(torch.as_tensor(rows, dtype=torch.int64).cpu())
    if len(found) and not (found[0] >= 0 and found[-1] < size):
        wrong = found[0] if found[0] < 0 else found[-1]
        raise ValueError(f"{name} has row {int(wrong)}, the catalogue has rows 0 to {size - 1}")
    return found


def sorted_distinct(rows: Tensor) -> Tensor:
    """Return rows sorted and each once."""
    found: Tensor = torch.unique(rows)
    return found
