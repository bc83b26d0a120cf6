"""The largest scores of each row, with ties in the order of columns, which torch.topk does not guarantee."""

from __future__ import annotations

import torch
from torch import Tensor

_GROUPED = 32  # columns in a group


def best_columns(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest scores of each row and their columns, largest first and ties by column.

    The k + 1 largest scores are in the k + 1 groups of columns with the largest maxima. Maxima are cheaper than a
    partial sort of all columns.

    Args:
        scores: ``[B, n]`` float32 without NaN.
        k: Number of scores, at most n.

    Returns:
        ``[B, k]`` each.

    Example:
        >>> best_columns(torch.tensor([[1.0, 5.0, 5.0, 7.0]]), 2)
        (tensor([[7., 5.]]), tensor([[3, 1]]))
    """
    rows, n = scores.shape
    if k >= n:
        return ordered(scores, torch.arange(n, device=scores.device).expand(rows, n))
    values, columns = _largest(scores, k + 1)
    edge, beyond = values[:, k - 1 : k], values[:, k]
    values, columns = ordered(values[:, :k], columns[:, :k])
    # if the first score left out equals the last one taken, topk may have chosen any of the equal ones
    open_ = (edge[:, 0] == beyond) & (beyond > -torch.inf)
    if bool(open_.any()):
        values[open_], columns[open_] = _first_of_equals(scores[open_], edge[open_], k)
    return values, columns


def merged(
    best: tuple[Tensor, Tensor], more: tuple[Tensor, Tensor], k: int
) -> tuple[Tensor, Tensor]:
    """Return the k best of two lists of scores and rows; for ties, ``best`` comes before ``more``."""
    values = torch.cat([best[0], more[0]], 1)
    values, order = values.sort(dim=1, descending=True, stable=True)
    return values[:, :k], torch.cat([best[1], more[1]], 1).gather(1, order)[:, :k]


def ordered(values: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Return values and columns ``[B, n]``, largest value first and ties by column."""
    columns, order = columns.sort(dim=1)
    values, best = values.gather(1, order).sort(dim=1, descending=True, stable=True)
    return values, columns.gather(1, best)


def _largest(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the k largest scores and their columns, with ties in any order."""
    rows, n = scores.shape
    groups = n // _GROUPED
    if groups < 4 * k:
        return _topk(scores, k)
    whole = scores[:, : groups * _GROUPED].view(rows, _GROUPED, groups)
    _, group = torch.topk(whole.amax(1), k)  # [B, k]
    among = group.unsqueeze(1).expand(rows, _GROUPED, k)
    steps = torch.arange(0, groups * _GROUPED, groups, device=scores.device)
    values = torch.cat([whole.gather(2, among).flatten(1), scores[:, groups * _GROUPED :]], 1)
    rest = torch.arange(groups * _GROUPED, n, device=scores.device).expand(rows, -1)
    columns = torch.cat([(among + steps.view(1, -1, 1)).flatten(1), rest], 1)
    values, place = _topk(values, k)
    return values, columns.gather(1, place)


def _topk(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    found = torch.topk(scores, k)
    return found.values, found.indices


def _first_of_equals(scores: Tensor, edge: Tensor, k: int) -> tuple[Tensor, Tensor]:
    above, equal = scores > edge, scores == edge
    room = k - above.sum(1, keepdim=True)
    taken = above | (equal & (equal.cumsum(1) <= room))
    columns = taken.nonzero()[:, 1].view(len(scores), k)
    return ordered(scores.gather(1, columns), columns)
