"""The interface of baselines of the next item, and popularity."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lit_rec.models.neighbors.item_tables import ItemTable, recency_weights


class NextItemBaseline(ABC):
    """A model of the next item without training steps.

    Attributes:
        name: Its name in the report.
        chosen: Options that were chosen on training rows, by name.
        approximated: What is not exact because the catalogue is large; empty: nothing.

    Example:
        >>> class FirstItems(NextItemBaseline):
        ...     name = "first_items"
        ...     def scores(self, history: Tensor, mask: Tensor) -> Tensor:
        ...         return -torch.arange(3.0).expand(len(history), 3)
        >>> FirstItems().scores(torch.zeros(1, 1), torch.zeros(1, 1)).argmax(1)
        tensor([0])
    """

    name: str
    chosen: dict[str, float]
    approximated: str = ""

    @abstractmethod
    def scores(self, history: Tensor, mask: Tensor) -> Tensor:
        """Return the scores of the catalogue ``[B, I]``.

        Args:
            history: ``[B, H]`` int64 codes of what the model saw, oldest first.
            mask: ``[B, H]``, False in padding, which is to the right.
        """


class PopularityBaseline(NextItemBaseline):
    """How many training rows an item has, the same for all users.

    Args:
        counts: ``[I]`` training rows of each item.

    Example:
        >>> baseline = PopularityBaseline(torch.tensor([1, 0, 2]))
        >>> nobody = torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 1, dtype=torch.bool)
        >>> baseline.scores(*nobody)
        tensor([[1., 0., 2.]])
    """

    name = "popularity"

    def __init__(self, counts: Tensor) -> None:
        self.chosen = {}
        self._counts = counts.float()

    def scores(self, history: Tensor, mask: Tensor) -> Tensor:
        """Return the counts for every row."""
        return self._counts.expand(len(history), -1)


class LastItemsBaseline(NextItemBaseline):
    """The items of the history, the newest first, then the others by popularity: what was viewed may be bought.

    Args:
        counts: ``[I]`` training rows of each item.

    Example:
        >>> baseline = LastItemsBaseline(torch.tensor([1, 0, 2]))
        >>> history, mask = torch.tensor([[2, 0, 1, 0]]), torch.tensor([[True, True, True, False]])
        >>> baseline.scores(history, mask).argsort(1, descending=True)
        tensor([[1, 0, 2]])
    """

    name = "last_items"

    def __init__(self, counts: Tensor) -> None:
        self.chosen = {}
        self._below_one = counts / (counts.max() + 1)

    def scores(self, history: Tensor, mask: Tensor) -> Tensor:
        """Return the places in the history, from 1; of other items numbers below 1."""
        place = torch.arange(1.0, history.shape[1] + 1).expand(history.shape) * mask
        found = self._below_one.expand(len(history), -1)
        return found.scatter_reduce(1, history, place, "amax")


class ItemTableBaseline(NextItemBaseline):
    """What the items of the history say of the catalogue, the newest the most.

    The score of item j is ``sum_h recency^a(h) * table[h, j]``, where a(h) is the number of behaviors after h. Rows
    without a history have the scores of ``popularity``.

    Args:
        name: Its name in the report.
        table: What each item says of the others.
        counts: ``[I]`` training rows of each item.
        chosen: Its options; ``recency`` is one of them.
        approximated: What is not exact.

    Example:
        >>> from lit_rec.models.neighbors.item_tables import DenseTable
        >>> table = DenseTable(torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 3.0], [0.0, 3.0, 0.0]]))
        >>> baseline = ItemTableBaseline("mine", table, torch.tensor([2, 2, 1]), {"recency": 0.5})
        >>> history, mask = torch.tensor([[0, 1], [0, 0]]), torch.tensor([[True, True], [False, False]])
        >>> baseline.scores(history, mask)
        tensor([[1.0000, 0.5000, 3.0000],
                [2.0000, 2.0000, 1.0000]])
    """

    def __init__(
        self,
        name: str,
        table: ItemTable,
        counts: Tensor,
        chosen: dict[str, float],
        approximated: str = "",
    ) -> None:
        self.name, self.chosen, self.approximated = name, chosen, approximated
        self._table, self._counts = table, counts.float()

    def scores(self, history: Tensor, mask: Tensor) -> Tensor:
        """Return the scores."""
        scores = self._table.scores(history, recency_weights(mask, self.chosen["recency"]))
        return torch.where(mask.any(1, keepdim=True), scores, self._counts)
