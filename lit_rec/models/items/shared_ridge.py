"""Ridge regression on, and principal components of, several groups of inputs, each of which counts alike."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def shared_ridge(
    inputs: Sequence[Tensor], target: Tensor, weights: Tensor, penalty: float
) -> tuple[Tensor, list[Tensor]]:
    """Return the constant and the weights of each group by which the inputs predict the target best.

    What minimises
    ``sum_n w_n (t_n - c - sum_g x_gn . v_g)^2 / mean(w) + penalty * (G + 1) * (c^2 + sum_g s_g |v_g|^2)``, with ``s_g``
    the mean square norm of a group's inputs: groups may be of any length and scale, and each, as the constant, is
    expected to explain as much. At a penalty of 1 a group is believed as if it had been seen once on an ordinary
    example. Solved over the N examples, so that a group may be longer than there are examples.

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
        >>> inputs, target = [torch.tensor([[1.0], [-1.0]])], torch.tensor([3.0, 1.0])
        >>> constant, (slope,) = shared_ridge(inputs, target, torch.ones(2), 1e-6)
        >>> round(float(constant), 3), round(float(slope), 3)
        (2.0, 1.0)
    """
    kernel, sizes = _kernel(inputs)
    noise = penalty * (len(inputs) + 1) * weights.double().mean() / weights.double()
    dual = torch.linalg.solve(kernel + 1 + torch.diag(noise), target.double())
    found = [(x.double().T @ dual / s).to(x.dtype) for x, s in zip(inputs, sizes, strict=True)]
    return dual.sum().to(target.dtype), found


def shared_components(inputs: Sequence[Tensor], width: int) -> list[Tensor]:
    """Return the weights of each group by which the inputs sum up to the principal components of all groups together.

    Inner products of the sums are near those of all inputs, each group divided by its size and the groups' mean taken;
    no other sums of that width are nearer. Components that the inputs do not have, for there are few examples, come out
    as 0. Inputs are not centred.

    Args:
        inputs: G groups, each ``[N, V_g]``.
        width: How many components.

    Returns:
        ``[V_g, width]`` of each group.

    Reference:
        Schoelkopf, Smola & Mueller 1998, Nonlinear component analysis as a kernel eigenvalue problem,
        https://doi.org/10.1162/089976698300017467.

    Example:
        >>> (weights,) = shared_components([torch.tensor([[3.0, 0.0], [0.0, 1.0]])], 1)
        >>> weights.abs()
        tensor([[0.4472],
                [0.0000]])
    """
    kernel, sizes = _kernel(inputs)
    spread, vectors = torch.linalg.eigh(kernel / len(inputs))
    spread, vectors = spread[-width:].flip(0), vectors[:, -width:].flip(1)
    real = spread > 1e-9 * spread[:1].clamp(min=1e-30)
    dual = vectors.new_zeros(len(vectors), width)
    dual[:, : len(spread)] = torch.where(real, vectors / spread.clamp(min=1e-30).sqrt(), 0.0)
    return [
        (x.double().T @ dual / (size * len(inputs))).to(x.dtype)
        for x, size in zip(inputs, sizes, strict=True)
    ]


def _kernel(inputs: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Return the sum of the groups' inner products ``[N, N]``, each over its size; and the sizes, mean square norms."""
    groups = [x.double() for x in inputs]
    sizes = [x.square().sum(1).mean().clamp(min=1e-12) for x in groups]
    parts = [x @ x.T / size for x, size in zip(groups, sizes, strict=True)]
    return torch.stack(parts).sum(0), sizes
