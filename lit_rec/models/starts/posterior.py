"""Posterior means of a Gaussian process: of candidates, of ratings by others of their row."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.models.starts.covariance import Covariance, Points


def with_noise(covariance: Covariance, points: Points, spread: Tensor, known: Tensor) -> Tensor:
    """Return the covariance of ratings ``[B, n, n]``; what is not ``known`` ``[B, n]`` is independent of the rest."""
    both = known.unsqueeze(1) & known.unsqueeze(2)
    noise = torch.where(known, covariance.noise(spread), 1.0)
    return torch.where(both, covariance(points, points), 0.0) + torch.diag_embed(noise)


def weights(total: Tensor, residual: Tensor) -> Tensor:
    """Return the weight of each rating ``[B, n]``: a prediction is the sum of these times covariances with it.

    Args:
        total: ``[B, n, n]``, of the ratings.
        residual: ``[B, n]``, ratings minus what is expected; 0 where unknown.
    """
    lower = torch.linalg.cholesky_ex(total).L
    return torch.cholesky_solve(residual.unsqueeze(2), lower).squeeze(2)


def without_itself(total: Tensor, residual: Tensor) -> Tensor:
    """Return what the other ratings of its row say of each rating ``[B, n]``, beyond what is expected.

    Reference:
        Rasmussen & Williams 2006, Gaussian processes for machine learning, section 5.4.2.

    Example:
        >>> total = torch.tensor([[[2.0, 1.0], [1.0, 2.0]]])
        >>> found = without_itself(total, torch.tensor([[4.0, 0.0]]))  # the second by the first: 1 / 2 * 4
        >>> found.round(decimals=3).abs()
        tensor([[0., 2.]])
    """
    inverse = torch.cholesky_inverse(torch.linalg.cholesky_ex(total).L)
    weight = (inverse @ residual.unsqueeze(2)).squeeze(2)
    return residual - weight / inverse.diagonal(dim1=1, dim2=2)


def by_past(total: Tensor, residual: Tensor, past: Tensor) -> Tensor:
    """Return what the first ratings of its row say of each rating ``[B, n]``, beyond what is expected.

    The rows of the Cholesky factor are the covariances with the earlier ratings, made independent: any number of these
    gives the mean by a sum.

    Args:
        total: ``[B, n, n]``.
        residual: ``[B, n]``.
        past: ``[B, n]`` int64, how many of the row's first ratings each is predicted by; not itself.

    Example:
        >>> total = torch.tensor([[[2.0, 1.0], [1.0, 2.0]]])
        >>> by_past(total, torch.tensor([[4.0, 0.0]]), torch.tensor([[0, 1]])).round(decimals=3)
        tensor([[0., 2.]])
    """
    lower = torch.linalg.cholesky_ex(total).L
    independent = torch.linalg.solve_triangular(lower, residual.unsqueeze(2), upper=False)
    place = torch.arange(lower.shape[2], device=lower.device)
    earlier = place < past.unsqueeze(2)  # [B, n, n]
    said: Tensor = (lower * earlier * independent.transpose(1, 2)).sum(2)
    return said


def by_first(total: Tensor, residual: Tensor, count: int) -> Tensor:
    """Return what the first ``count`` other ratings of its row say of each rating ``[B, n]``, beyond what is expected.

    Args:
        total: ``[B, n, n]``.
        residual: ``[B, n]``.
        count: How many ratings each is predicted by, at most; not itself.

    Example:
        >>> total = torch.tensor([[[2.0, 1.0, 1.0], [1.0, 2.0, 0.0], [1.0, 0.0, 2.0]]])
        >>> by_first(total, torch.tensor([[4.0, 2.0, 0.0]]), 1).round(decimals=3)  # by the second, the first, the first
        tensor([[1., 2., 2.]])
    """
    others = without_itself(total[:, : count + 1, : count + 1], residual[:, : count + 1])
    if others.shape == residual.shape:
        return others
    weight = weights(total[:, :count, :count], residual[:, :count])
    said = (total[:, count:, :count] @ weight.unsqueeze(2)).squeeze(2)
    return torch.cat([others[:, :count], said], 1)
