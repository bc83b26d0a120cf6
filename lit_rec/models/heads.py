"""Heads: from users and items to scores."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from lit_rec.data.batches import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.models.ranges import count, share


class Head(nn.Module, ABC):
    """A score per candidate.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.

    Shape:
        users ``[B, width + 1]``, item_vectors ``[N, width + 1]``, a batch of B rows with C candidates -> ``[B, C]`` float32.
    """

    def __init__(self, facts: Facts, width: int) -> None:
        super().__init__()
        self.rating_mean = facts.rating_mean

    @abstractmethod
    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""

    def biases(self, users: Tensor, candidates: Tensor) -> Tensor:
        """Return mean + user bias + item bias ``[B, C]`` for candidates ``[B, C, width + 1]``."""
        return self.rating_mean + users[:, -1:] + candidates[..., -1]


class DotHead(Head):
    """Mean + biases + scale times the inner product of user and item.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        scale: Factor of the inner product at the start (learned).

    Reference:
        Koren, Bell & Volinsky 2009, Matrix factorization techniques, https://doi.org/10.1109/MC.2009.263.
    """

    def __init__(self, facts: Facts, width: int, scale: float = 1.0) -> None:
        super().__init__(facts, width)
        self.scale = nn.Parameter(torch.tensor(float(scale)))

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        candidates = item_vectors[batch.candidates.item_index]  # [B, C, width + 1]
        product = (candidates[..., :-1] @ users[:, :-1].unsqueeze(-1)).squeeze(-1)  # [B, C]
        return self.biases(users, candidates) + self.scale * product


class RegressionHead(Head):
    """Mean + biases + a small network on ``[u, i, u * i, |u - i|]``; its last layer begins at zero.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        hidden: Width of the hidden layer.
        dropout: Share of the hidden layer's inputs and outputs dropped while training.

    Raises:
        ConfigError: If ``hidden`` is below 1, or ``dropout`` is not from 0 to 1.
    """

    def __init__(self, facts: Facts, width: int, hidden: int = 64, dropout: float = 0.2) -> None:
        super().__init__(facts, width)
        share("head.init_args.dropout", dropout)
        count("head.init_args.hidden", hidden)
        self.hidden = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(4 * width, hidden), nn.GELU(), nn.Dropout(dropout)
        )
        self.last = nn.Linear(hidden, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def features(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return what the last linear layer sees, ``[B, C, hidden]``."""
        item = item_vectors[batch.candidates.item_index, :-1]  # [B, C, width]
        user = users[:, None, :-1].expand_as(item)
        pair = torch.cat([user, item, user * item, (user - item).abs()], -1)
        features: Tensor = self.hidden(pair)
        return features

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        candidates = item_vectors[batch.candidates.item_index]
        beyond: Tensor = self.last(self.features(users, item_vectors, batch)).squeeze(-1)
        return self.biases(users, candidates) + beyond
