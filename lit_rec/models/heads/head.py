"""Head: from users and items to scores. Your own head derives from it, in any module that Python finds."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts


class Head(nn.Module, ABC):
    """A score per candidate, or one per candidate and label.

    A score is a rating, the logit of the positive one of two labels, or a number that items are ranked by. ``gives`` is
    ``scores``, ``class_scores``, or ``vectors`` whose inner products are scores.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.

    Shape:
        users ``[B, width + 1]``, or ``[B, C, width + 1]`` where a user has a vector for each candidate; item_vectors
        ``[N, width + 1]``; a batch of B rows with C candidates -> ``[B, C]`` float32, or ``[B, C, K]`` for class
        scores.

    Example:
        >>> import torch
        >>> class BiasHead(Head):
        ...     def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        ...         return self.biases(users, item_vectors[batch.candidates.item_index])
        >>> facts = Facts.example()
        >>> BiasHead(facts, width=1).biases(torch.tensor([[9.0, 0.5]]), torch.tensor([[[9.0, -1.0]]]))  # 3 + 0.5 - 1
        tensor([[2.5000]])
    """

    gives = "scores"
    looks_at_labels = False  # whether training begins with ``begin_at_labels``

    def __init__(self, facts: Facts, width: int) -> None:
        super().__init__()
        self.start = facts.score_start

    @abstractmethod
    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""

    def queries(self, users: Tensor) -> Tensor | None:
        """Return vectors ``[B, D']`` whose inner products with ``keys`` are the scores, up to a constant per user.

        An index finds the best items by them. None, as here, where scores are not inner products: then every item is
        scored.

        Args:
            users: ``[B, width + 1]``.
        """
        return None

    def keys(self, item_vectors: Tensor) -> Tensor:
        """Return the vectors that ``queries`` are multiplied with, ``[N, D']``.

        These are the item vectors ``[N, width + 1]`` unless a head overrides this.
        """
        return item_vectors

    def begin_at_labels(self, item_vectors: Tensor, counts: Tensor) -> None:
        """Begin with what the training rows say, before the first step, where ``looks_at_labels``.

        Args:
            item_vectors: ``[N, width + 1]``, of the training items, by the encoder as it is before training.
            counts: ``[N, K]``, how many training rows of each label an item has.
        """

    def biases(self, users: Tensor, candidates: Tensor) -> Tensor:
        """Return the prediction at the start + user bias + item bias ``[B, C]`` of candidates ``[B, C, width + 1]``."""
        return self.start + beside(users)[..., -1] + candidates[..., -1]


def beside(users: Tensor) -> Tensor:
    """Return users with an axis for candidates: ``[B, 1, D]`` of ``[B, D]``; ``[B, C, D]`` stays."""
    return users.unsqueeze(1) if users.dim() == 2 else users
