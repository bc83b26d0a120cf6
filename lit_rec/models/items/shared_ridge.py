"""Ridge regression and principal components of several groups of inputs, where each group counts alike."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def shared_ridge(
    inputs: Sequence[Tensor], target: Tensor, weights: Tensor, penalty: float
) -> tuple[Tensor, list[Tensor]]:
    """Return the constant and the weights of each group that predict the target best.

    They minimise
    ``sum_n w_n (t_n - c - sum_g x_gn . v_g)^2 / mean(w) + penalty * (G + 1) * (c^2 + sum_g s_g |v_g|^2)``, with ``s_g``
    the mean square norm of a group's inputs. So groups may have any length and scale, and each group, and the constant,
    is expected to explain as much. At a penalty of 1 a group is trusted as if it had been seen on one ordinary example.
    The system is solved over the N examples, so a group may be longer than their number.

    Args:
        inputs: G groups, each ``[N, V_g]``.
        target: ``[N]``.
        weights: ``[N]``, how much an example counts, all above 0.
        penalty: Above 0.

    Returns:
        A scalar, and ``[V_g]`` of each group, 0 for a group whose inputs are all 0.

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
    """Return the weights of each group that make the inputs sum to the principal components of all groups together.

    Each group is divided by its size. Inner products of the sums are then as near as possible, at this width, to the
    mean inner product of the groups. If there are fewer components than the width, for few examples, the rest are 0.
    Inputs are not centred.

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
    """Return the groups' inner products, each over its size, summed ``[N, N]``; and the sizes (mean square norms)."""
    groups = [x.double() for x in inputs]
    sizes = [x.square().sum(1).mean().clamp(min=1e-12) for x in groups]
    parts = [x @ x.T / size for x, size in zip(groups, sizes, strict=True)]
    return torch.stack(parts).sum(0), sizes
