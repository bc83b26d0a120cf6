"""CarriedTable: what is said of known items, carried over to items without training rows by their texts."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.models.neighbors.item_tables import ItemTable

# chosen on validation rows of Amazon "Industrial & Scientific" with a fifth of its items held out
_NEAREST = 10
_POWER = 10  # of cosines
_ITSELF = 0.07  # how much more an item is like what represents it, in units of the table
_NUMBERS = 2**24  # that are held at once: bounds the memory, not the result


class CarriedTable(ItemTable):
    """A table of known items, in which each other item stands for the ten known ones of nearest texts.

    Their weights are powers of cosines whose sum is 1. What such an item says of itself is not left out.

    Args:
        table: What known items say of each other.
        known: ``[I]`` bool, which items these are.
        vectors: ``[I, D]`` text vectors of length 1 or 0.

    Example:
        >>> from lit_rec.models.neighbors.item_tables import DenseTable
        >>> table = DenseTable(torch.tensor([[0.0, 0.5], [0.5, 0.0]]))
        >>> vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
        >>> carried = CarriedTable(table, torch.tensor([True, True, False]), vectors)
        >>> carried.scores(torch.tensor([[1], [0]]), torch.ones(2, 1))
        tensor([[0.5000, 0.0000, 0.5000],
                [0.0000, 0.5000, 0.0700]])
    """

    def __init__(self, table: ItemTable, known: Tensor, vectors: Tensor) -> None:
        self._table = table
        self._known, self._new = known.nonzero()[:, 0], (~known).nonzero()[:, 0]
        nearest = min(_NEAREST, len(self._known))
        self._row = torch.zeros(len(known), nearest, dtype=torch.int64)
        self._weight = torch.zeros(len(known), nearest)
        self._row[self._known, 0] = torch.arange(len(self._known))
        self._weight[self._known, 0] = 1.0
        of_known = vectors[self._known]
        for some in torch.split(self._new, max(_NUMBERS // max(len(self._known), 1), 1)):
            value, row = (vectors[some] @ of_known.T).topk(nearest, dim=1)
            value = value.clamp(min=0) ** _POWER
            self._row[some] = row
            self._weight[some] = value / value.sum(1, keepdim=True).clamp(min=1e-12)

    def scores(self, item: Tensor, weight: Tensor) -> Tensor:
        """Return the sums."""
        row = self._row[item].flatten(1)
        counts = (self._weight[item] * weight.unsqueeze(2)).flatten(1)
        said = self._table.scores(row, counts)
        scores = said.new_zeros(len(item), len(self._row))
        scores[:, self._known] = said
        like = said.scatter_add_(1, row, counts * _ITSELF)
        step = max(_NUMBERS // max(like.shape[0] * self._row.shape[1], 1), 1)
        for some in torch.split(self._new, step):
            scores[:, some] = (like[:, self._row[some]] * self._weight[some]).sum(2)
        return scores
