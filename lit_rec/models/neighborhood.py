"""NeighborhoodHead: the candidate looks at how the user rated what resembles it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lit_rec.data.batches import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.models.heads import RegressionHead
from lit_rec.models.pooling import masked_softmax
from lit_rec.models.residuals import item_residuals


def pair_similarity(keys: Tensor, candidate: Tensor, history: Tensor) -> Tensor:
    """Return the inner products of each row's candidates with its history.

    Where a row's slots outnumber the distinct items, all pairs of items are cheaper than gathered vectors; both ways are equal.

    Args:
        keys: ``[N, D]``, a key per distinct item.
        candidate: ``[B, C]`` int64 into ``keys``.
        history: ``[B, H]`` int64 into ``keys``.

    Returns:
        ``[B, C, H]``.
    """
    items, width = keys.shape
    if items * items < candidate.numel() * history.shape[1] * width // max(candidate.shape[1], 1):
        products = keys @ keys.T  # [N, N]
        return products[candidate.unsqueeze(2), history.unsqueeze(1)]
    return keys[candidate] @ keys[history].transpose(1, 2)  # [B, C, D] @ [B, D, H]


class NeighborhoodHead(RegressionHead):
    """Add to the regression head what the user thought of similar items.

    score = mean + b_u + b_i + MLP + u . i + a * sum_h softmax_h(s cos(k_i, k_h)) (r_h - mean - b_u - b_h)

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        hidden: Width of the hidden layer.
        dropout: Share of the hidden layer's inputs and outputs dropped while training.
        sharpness: Factor s of the cosine at the start (learned).

    Reference:
        Koren 2008, Factorization meets the neighborhood, https://doi.org/10.1145/1401890.1401944.
    """

    def __init__(
        self,
        facts: Facts,
        width: int,
        hidden: int = 64,
        dropout: float = 0.5,
        sharpness: float = 10.0,
    ) -> None:
        super().__init__(facts, width, hidden, dropout)
        self.sharpness = nn.Parameter(torch.tensor(float(sharpness)))
        self.share = nn.Parameter(torch.tensor(0.5))
        self.scale = nn.Parameter(torch.tensor(0.1))

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        history, index = batch.history, batch.candidates.item_index
        keys = nn.functional.normalize(item_vectors[:, :-1], dim=1)
        cosine = pair_similarity(keys, index, history.item_index)  # [B, C, H]
        residual, rated = item_residuals(item_vectors, history, self.rating_mean)
        residual = torch.where(rated, residual - users[:, -1:], 0.0)
        weights = masked_softmax(cosine * self.sharpness, rated.unsqueeze(1).expand_as(cosine))
        neighbours = (weights @ residual.unsqueeze(-1)).squeeze(-1)  # [B, C]
        item = item_vectors[index, :-1]
        product = (item @ users[:, :-1].unsqueeze(-1)).squeeze(-1)
        plain: Tensor = super().forward(users, item_vectors, batch)
        return plain + self.scale * product + self.share * neighbours
