"""Item tables: what each item of a history says of all others, whole, as neighbours, or by vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from lit_rec.models.row_blocks import weighted_sum


class ItemTable(ABC):
    """A matrix ``[I, I]`` with zeros on its diagonal, in whatever form: row h is what item h says of the others."""

    @abstractmethod
    def scores(self, item: Tensor, weight: Tensor) -> Tensor:
        """Return ``sum_h weight[b, h] * table[item[b, h]]`` ``[B, I]``.

        Args:
            item: ``[B, H]`` int64, the items of histories.
            weight: ``[B, H]``, 0 in padding.
        """


class HeldTable(ItemTable):
    """A table whose numbers are held."""

    @abstractmethod
    def strongest(self, most: int) -> tuple[Tensor, Tensor]:
        """Return items and values of the ``most`` largest positive numbers of each row, the largest first.

        Both are ``[I, K]`` with K at most ``most``; the value is 0 where there are fewer.
        """


class DenseTable(HeldTable):
    """The whole matrix.

    Args:
        values: ``[I, I]``.

    Example:
        >>> table = DenseTable(torch.tensor([[0.0, 1.0], [2.0, 0.0]]))
        >>> table.scores(torch.tensor([[0, 1]]), torch.tensor([[1.0, 0.5]]))
        tensor([[1., 1.]])
        >>> table.strongest(1)
        (tensor([[1],
                [0]]), tensor([[1.],
                [2.]]))
    """

    def __init__(self, values: Tensor) -> None:
        self.values = values

    def scores(self, item: Tensor, weight: Tensor) -> Tensor:
        """Return the sums."""
        # a row of the table is as long as the catalogue: padding must not be read
        there = weight != 0
        offsets = there.sum(1).cumsum(0) - there.sum(1)
        return nn.functional.embedding_bag(
            item[there], self.values, offsets, per_sample_weights=weight[there], mode="sum"
        )

    def strongest(self, most: int) -> tuple[Tensor, Tensor]:
        """Return the largest of each row."""
        # a catalogue of one item has one column
        value, index = self.values.topk(min(most, len(self.values)), dim=1)
        return index, value.clamp_(min=0)


class NeighborTable(HeldTable):
    """Up to K others for each item; all else is 0.

    Args:
        index: ``[I, K]`` int32 items.
        value: ``[I, K]``; 0 where there are fewer.

    Example:
        >>> table = NeighborTable(torch.tensor([[1], [0], [1]]), torch.tensor([[0.5], [2.0], [0.0]]))
        >>> table.scores(torch.tensor([[0, 1]]), torch.tensor([[1.0, 1.0]]))
        tensor([[2.0000, 0.5000, 0.0000]])
    """

    def __init__(self, index: Tensor, value: Tensor) -> None:
        self.index, self.value = index, value

    def scores(self, item: Tensor, weight: Tensor) -> Tensor:
        """Return the sums."""
        out = torch.zeros(len(item), len(self.index))
        value = weight.unsqueeze(2) * self.value[item]  # [B, H, K]
        return out.scatter_add_(1, self.index[item].long().flatten(1), value.flatten(1))

    def strongest(self, most: int) -> tuple[Tensor, Tensor]:
        """Return the largest of each row."""
        value, order = self.value.sort(dim=1, descending=True, stable=True)
        value, order = value[:, :most].clamp(min=0), order[:, :most]
        return self.index.gather(1, order), value


class CosineTable(ItemTable):
    """Inner products of vectors, never held as a matrix.

    Args:
        vectors: ``[I, D]``, of length 1 or 0.

    Example:
        >>> table = CosineTable(torch.tensor([[1.0, 0.0], [0.6, 0.8]]))
        >>> table.scores(torch.tensor([[0]]), torch.tensor([[1.0]]))
        tensor([[0.0000, 0.6000]])
    """

    def __init__(self, vectors: Tensor) -> None:
        self._vectors, self._own = vectors, (vectors * vectors).sum(1)

    def scores(self, item: Tensor, weight: Tensor) -> Tensor:
        """Return the sums."""
        scores = weighted_sum(weight, item, self._vectors) @ self._vectors.T
        return scores.scatter_add_(1, item, -weight * self._own[item])


class SumTable(ItemTable):
    """One table plus a multiple of another.

    Args:
        first: A table.
        second: Another of as many items.
        times: What the second is multiplied by.

    Example:
        >>> one, other = DenseTable(torch.ones(1, 1)), DenseTable(torch.ones(1, 1))
        >>> SumTable(one, other, 0.5).scores(torch.tensor([[0]]), torch.tensor([[1.0]]))
        tensor([[1.5000]])
    """

    def __init__(self, first: ItemTable, second: ItemTable, times: float) -> None:
        self._first, self._second, self._times = first, second, times

    def scores(self, item: Tensor, weight: Tensor) -> Tensor:
        """Return the sums."""
        second = self._second.scores(item, weight)
        return self._first.scores(item, weight).add_(second, alpha=self._times)


def recency_weights(mask: Tensor, recency: float | Tensor) -> Tensor:
    """Return the weights of behaviors ``[B, H]``: 1 for the newest, ``recency`` times less for each one before.

    Example:
        >>> recency_weights(torch.tensor([[True, True, False]]), 0.5)
        tensor([[0.5000, 1.0000, 0.0000]])
    """
    after = mask.sum(1, keepdim=True) - 1 - torch.arange(mask.shape[1], device=mask.device)
    return torch.where(mask, recency ** after.clamp(min=0).float(), 0.0)
