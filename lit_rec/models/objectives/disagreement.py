"""How far two predictions of the same rows differ."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def divergence(one: Tensor, two: Tensor) -> Tensor:
    """Return the mean of both Kullback-Leibler divergences of the softmax of two rows of logits.

    Args:
        one: ``[..., K]``; logits that are -inf in both have probability 0.
        two: ``[..., K]``.

    Returns:
        ``[...]``, 0 where both are the same.

    Example:
        >>> import torch
        >>> divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]]))
        tensor([0.])
    """
    first, second = (functional.log_softmax(logits.float(), -1) for logits in (one, two))
    # (p - q) (log p - log q), summed, is the sum of both
    return ((first.exp() - second.exp()) * (first - second)).nan_to_num(0.0).sum(-1) / 2


def binary_divergence(one: Tensor, two: Tensor) -> Tensor:
    """Return the same of two labels, from logits of the second ``[...]``.

    Example:
        >>> import torch
        >>> a, b = torch.tensor([0.5]), torch.tensor([-1.0])
        >>> nothing = torch.zeros(1)
        >>> both = divergence(torch.stack([nothing, a], -1), torch.stack([nothing, b], -1))
        >>> torch.allclose(binary_divergence(a, b), both)
        True
    """
    return (one.sigmoid() - two.sigmoid()) * (one - two) / 2
