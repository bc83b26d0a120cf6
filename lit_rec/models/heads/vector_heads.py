"""Heads whose score is an inner product: one product compares a user with a whole catalogue."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.models.heads.head import Head, beside
from lit_rec.models.heads.repeat_bias import Repeats


@dataclass(frozen=True)
class Vectors:
    """Vectors of users and of a batch's items, whose inner products are scores.

    Shape:
        users: ``[B, D]``, or ``[B, H + 1, D]`` at every position. items: ``[N, D]``. repeats: What histories add to
            scores, with items numbered by rows of the vocabulary; None: nothing.
    """

    users: Tensor
    items: Tensor
    repeats: Repeats | None


class VectorHead(Head):
    """Makes a vector of each user and each item, and ``gives`` these; a score is their inner product.

    Shape:
        users ``[..., width + 1]`` -> ``of_users`` ``[..., D']``; item_vectors ``[N, width + 1]`` -> ``of_items``
        ``[N, D']``.

    Example:
        >>> class FirstNumber(VectorHead):
        ...     def of_users(self, users: Tensor) -> Tensor:
        ...         return users[..., :1]
        ...     def of_items(self, item_vectors: Tensor) -> Tensor:
        ...         return item_vectors[..., :1]
        >>> import torch
        >>> from lit_rec.data.facts import Facts
        >>> facts = Facts.example("next_item")
        >>> head = FirstNumber(facts, width=2)
        >>> head.queries(torch.tensor([[3.0, 4.0, 9.0]])) @ head.keys(torch.tensor([[2.0, 1.0, 0.5]])).T
        tensor([[6.]])
    """

    gives = "vectors"

    @abstractmethod
    def of_users(self, users: Tensor) -> Tensor:
        """Return the users' vectors ``[..., D']``."""

    @abstractmethod
    def of_items(self, item_vectors: Tensor) -> Tensor:
        """Return the items' vectors ``[N, D']``."""

    def keys(self, item_vectors: Tensor) -> Tensor:
        """Return the items' vectors ``[N, D']``."""
        return self.of_items(item_vectors)

    def queries(self, users: Tensor) -> Tensor:
        """Return the users' vectors."""
        return self.of_users(users)

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores of a batch's candidates ``[B, C]``."""
        items = self.of_items(item_vectors)[batch.candidates.item_index]  # [B, C, D']
        return (items * beside(self.of_users(users))).sum(-1)


class CosineHead(VectorHead):
    """The cosine of user and item, from -1 to 1: a popular item cannot gain by a longer vector.

    Its softmax needs a temperature below 1, such as 0.07; the objective has that option.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.

    Reference:
        Hou et al. 2022, Towards universal sequence representation learning for recommender systems,
        https://arxiv.org/abs/2206.05941, section 2.3.

    Example:
        >>> import torch
        >>> from lit_rec.data.facts import Facts
        >>> facts = Facts.example("next_item")
        >>> head = CosineHead(facts, width=2)
        >>> items = head.of_items(torch.tensor([[5.0, 0.0, 9.0]]))
        >>> head.of_users(torch.tensor([[3.0, 4.0, 9.0]])), items  # biases are left out
        (tensor([[0.6000, 0.8000]]), tensor([[1., 0.]]))
    """

    def of_users(self, users: Tensor) -> Tensor:
        """Return users of length 1."""
        return nn.functional.normalize(users[..., :-1], dim=-1)

    def of_items(self, item_vectors: Tensor) -> Tensor:
        """Return items of length 1."""
        return nn.functional.normalize(item_vectors[..., :-1], dim=-1)


class InnerProductHead(VectorHead):
    """u . i + b_i: the length of a vector and the item's bias count.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.

    Example:
        >>> import torch
        >>> from lit_rec.data.facts import Facts
        >>> facts = Facts.example("next_item")
        >>> head = InnerProductHead(facts, width=2)
        >>> items = head.of_items(torch.tensor([[2.0, 1.0, 0.5]]))
        >>> head.of_users(torch.tensor([[3.0, 4.0, 9.0]])) @ items.T  # 6 + 4 + 0.5
        tensor([[10.5000]])
    """

    def of_users(self, users: Tensor) -> Tensor:
        """Return ``[u, 1]``."""
        return nn.functional.pad(users[..., :-1], (0, 1), value=1.0)

    def of_items(self, item_vectors: Tensor) -> Tensor:
        """Return ``[i, b_i]``."""
        return item_vectors
