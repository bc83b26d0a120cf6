"""Plain baselines of the next item, as vectors of users and items: they are ranked like the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.models.row_blocks import weighted_sum


class NextItemBaseline(ABC):
    """A model of the next item without training steps.

    Attributes:
        items: ``[I, D]``, vectors of the items.

    Example:
        >>> class FirstItems(NextItemBaseline):
        ...     name = "first_items"
        ...     items = -torch.arange(3.0).unsqueeze(1)
        ...     def users(self, history: Tensor, mask: Tensor) -> Tensor:
        ...         return torch.ones(len(history), 1)
        >>> baseline = FirstItems()
        >>> (baseline.users(torch.zeros(1, 1), torch.zeros(1, 1)) @ baseline.items.T).argmax(1)
        tensor([0])
    """

    name: ClassVar[str]
    items: Tensor

    @abstractmethod
    def users(self, history: Tensor, mask: Tensor) -> Tensor:
        """Return vectors of the users ``[B, D]``.

        Args:
            history: ``[B, H]`` int64 codes of what the model saw.
            mask: ``[B, H]``, False in padding.
        """


class NextPopularityBaseline(NextItemBaseline):
    """How many training rows an item has, the same for all users.

    Args:
        item: ``[R]`` codes of the training rows.
        num_items: I, the number of items.

    Example:
        >>> baseline = NextPopularityBaseline(item=np.array([2, 0, 2]), num_items=3)
        >>> nobody = torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 1, dtype=torch.bool)
        >>> baseline.users(*nobody) @ baseline.items.T
        tensor([[1., 0., 2.]])
    """

    name = "popularity"

    def __init__(self, item: Int64s, num_items: int) -> None:
        counts = np.bincount(item, minlength=num_items)
        self.items = torch.from_numpy(counts).float().unsqueeze(1)

    def users(self, history: Tensor, mask: Tensor) -> Tensor:
        """Return ones."""
        return torch.ones(len(history), 1)


class FrozenTextNextBaseline(NextItemBaseline):
    """Items whose texts are near the mean of the history's.

    This is what the encoder knows before training; it knows nothing of the order of items. Without a history all items
    have the same score.

    Args:
        vectors: ``[I, d]`` text vectors of the catalogue, as ``unit_vectors`` returns them.

    Example:
        >>> baseline = FrozenTextNextBaseline(np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))
        >>> after = baseline.users(torch.tensor([[1]]), torch.tensor([[True]]))  # item 1 was seen
        >>> after @ baseline.items.T
        tensor([[0.0000, 1.0000, 0.8000]])
    """

    name = "frozen_text_knn"

    def __init__(self, vectors: Float64s) -> None:
        self.items = torch.from_numpy(vectors).float()

    def users(self, history: Tensor, mask: Tensor) -> Tensor:
        """Return mean vectors; their length does not change an order."""
        weights = mask / mask.sum(1, keepdim=True).clamp(min=1)
        return weighted_sum(weights, history, self.items)
