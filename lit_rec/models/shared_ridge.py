"""Ridge regression on several groups of inputs, each of which is believed alike."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def shared_ridge(
    inputs: Sequence[Tensor], target: Tensor, weights: Tensor, penalty: float
) -> tuple[Tensor, list[Tensor]]:
    """Return the constant and the weights of each group by which the inputs predict the target best.

    What minimises ``sum_n w_n (t_n - c - sum_g x_gn . v_g)^2 / mean(w) + penalty * (G + 1) * (c^2 + sum_g s_g |v_g|^2)``, with ``s_g`` the mean square
    norm of a group's inputs: groups may be of any length and scale, and each, as the constant, is expected to explain as much. At a
    penalty of 1 a group is believed as if it had been seen once on an ordinary example. Solved over the N examples, so that a group
    may be longer than there are examples.

    Args:
        inputs: G groups, each ``[N, V_g]``.
        target: ``[N]``.
        weights: ``[N]``, how much an example counts, all above 0.
        penalty: Above 0.

    Returns:
        A scalar, and ``[V_g]`` of each group, 0 for a group without anything in it.

    Reference:
        Saunders, Gammerman & Vovk 1998, Ridge regression learning algorithm in dual variables, ICML.

    Example:
        >>> constant, (slope,) = shared_ridge([torch.tensor([[1.0], [-1.0]])], torch.tensor([3.0, 1.0]), torch.ones(2), 1e-6)
        >>> round(float(constant), 3), round(float(slope), 3)
        (2.0, 1.0)
    """
    groups = [x.double() for x in inputs]
    sizes = [x.square().sum(1).mean().clamp(min=1e-12) for x in groups]
    kernel = torch.ones(len(target), len(target), dtype=torch.float64, device=target.device)
    for x, size in zip(groups, sizes, strict=True):
        kernel += x @ x.T / size
    noise = penalty * (len(groups) + 1) * weights.double().mean() / weights.double()
    dual = torch.linalg.solve(kernel + torch.diag(noise), target.double())
    found = [(x.T @ dual / size).to(target.dtype) for x, size in zip(groups, sizes, strict=True)]
    return dual.sum().to(target.dtype), found
