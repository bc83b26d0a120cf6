"""EASE: a linear model from items to items, in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.models.neighbors.item_tables import DenseTable, NeighborTable

DENSE_ITEMS = 20_000  # largest catalogue whose tables are held whole: 1.6 GB each
_LOOKED_UP = 2**22  # counts that are looked up at once: these bound the memory, not the result
_PLACES = 2**26


def ease_table(
    together: Tensor, penalty: float, text: Tensor | None = None, text_weight: float = 0.0
) -> DenseTable:
    """Return the weights that best predict each item of a user from the user's other items.

    With ``P = inverse(X'X + penalty * 1)``, ``table[h, j] = -P[h, j] / P[j, j]`` and zeros on the diagonal: the ridge
    regression of each column of X, users by items, on all other columns. With texts, each coordinate of theirs is a row
    of X of its own, whose weight is ``text_weight``.

    Args:
        together: ``X'X`` ``[I, I]``, see ``Baskets.together``. It is overwritten, because it may take gigabytes.
        penalty: Above 0.
        text: ``[I, W]``.
        text_weight: 0 or more.

    Reference:
        Steck 2019, Embarrassingly shallow autoencoders for sparse data, https://arxiv.org/abs/1905.03375; with texts:
        Jeunen et al. 2020, https://doi.org/10.1145/3383313.3418480.

    Example:
        >>> together = torch.tensor([[3.0, 2.0], [2.0, 4.0]])
        >>> ease_table(together, penalty=1.0).values  # 2 / (3 + 1) and 2 / (4 + 1)
        tensor([[0.0000, 0.5000],
                [0.4000, 0.0000]])
    """
    if text is not None and text_weight:
        together.addmm_(text, text.T, alpha=text_weight)
    together.diagonal().add_(penalty)
    # a symmetric matrix by columns, as LAPACK reads it: by rows, each step would need a copy of it
    columns = together.mT
    torch.linalg.cholesky(columns, out=columns)
    torch.cholesky_inverse(columns, out=columns)
    together.div_(-together.diagonal().clone()).fill_diagonal_(0)
    return DenseTable(together)


def ease_neighbors(
    index: Tensor,
    count: Tensor,
    own: Tensor,
    penalty: float,
    neighbors: int,
    text: Tensor | None = None,
    text_weight: float = 0.0,
    alike: Tensor | None = None,
) -> NeighborTable:
    """Return nearly the same for a large catalogue: each item is predicted from the items it shares most users with.

    For item j with neighbors N, ``table[N, j] = inverse(G[N, N] + penalty * 1) @ G[N, j]``, where G is ``X'X``. With
    all other items as neighbors this is EASE. A count that is in neither item's list of companions is taken as 0. Where
    this leaves an equation without a solution, its counts between neighbors are taken as 0. Of what an item predicts,
    the 4 m items with the largest weights are kept.

    Args:
        index: ``[I, K]`` companions of each item, see ``Baskets.companions``.
        count: ``[I, K]`` users that they share.
        own: ``[I]`` users of each item.
        penalty: Above 0.
        neighbors: m, how many of the companions predict an item.
        text: ``[I, W]``; see ``ease_table``.
        text_weight: 0 or more.
        alike: ``[I, n]`` other items that predict an item too, such as those of similar texts.

    Reference:
        Steck 2019, Markov random fields for collaborative filtering, https://arxiv.org/abs/1910.09645 (sparse weights
        from equations of few items); Ning & Karypis 2011, SLIM, https://doi.org/10.1109/ICDM.2011.134 (fsSLIM).

    Example:
        >>> index, count = torch.tensor([[1], [0]]), torch.tensor([[2.0], [2.0]])
        >>> table = ease_neighbors(index, count, torch.tensor([3, 4]), penalty=1.0, neighbors=1)
        >>> table.index.tolist(), table.value
        ([[1], [0]], tensor([[0.5000],
                [0.4000]]))
    """
    items, longest = len(index), int((count > 0).sum(1).max())
    lists = index[:, : max(longest, 1)], count[:, : max(longest, 1)]
    neighbors = min(neighbors, lists[0].shape[1])
    alike = index[:, :0] if alike is None else alike
    predictor = torch.cat([index[:, :neighbors], alike.to(index.dtype)], 1)
    weight, width = torch.zeros(predictor.shape), predictor.shape[1]
    step = max(min(_LOOKED_UP // lists[0].shape[1] // width, _PLACES // max(items, 1)), 1)
    places = torch.zeros(step, items, dtype=torch.int16)
    for start in range(0, items, step):
        part = slice(start, start + step)
        near = predictor[part].long()
        shared, there = _shared(near, neighbors, start, (lists[0][part], lists[1][part]))
        between = _counts_between(near, there, lists, places)
        diagonal = torch.diag_embed(own[near].float() * there + penalty)
        if text is not None and text_weight:
            of_near = text[near] * there.unsqueeze(2)  # [b, m, W]
            between = between + text_weight * of_near @ of_near.transpose(1, 2)
            shared = shared + text_weight * (of_near @ text[part].unsqueeze(2)).squeeze(2)
        root, wrong = torch.linalg.cholesky_ex(between + diagonal)
        root = torch.where(wrong.view(-1, 1, 1) > 0, diagonal.sqrt(), root)
        weight[part] = torch.cholesky_solve(shared.unsqueeze(2), root).squeeze(2) * there
    return _by_predictor(predictor, weight)


def _shared(
    near: Tensor, neighbors: int, start: int, lists: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Return the users that items share with those that predict them, and which of these count, ``[b, m]`` each.

    Args:
        near: ``[b, m]`` int64, what predicts each item: companions, then others.
        neighbors: How many of them are companions.
        start: The first of the b items.
        lists: Companions of these items and their counts, ``[b, K]`` each.
    """
    companion, count = lists
    shared = count[:, :neighbors]
    others = near[:, neighbors:]
    same = (others.unsqueeze(2) == companion.unsqueeze(1)) & (count > 0).unsqueeze(1)  # [b, n, K]
    twice = same[:, :, :neighbors].any(2)
    item = torch.arange(start, start + len(near)).unsqueeze(1)
    there = torch.cat([shared > 0, ~twice & (others != item)], 1)
    return torch.cat([shared, (same * count.unsqueeze(1)).sum(2)], 1), there


def _counts_between(
    near: Tensor, there: Tensor, lists: tuple[Tensor, Tensor], places: Tensor
) -> Tensor:
    """Return the counts of pairs of each row's neighbors ``[b, m, m]``, 0 on the diagonal.

    Args:
        near: ``[b, m]`` int64 neighbors.
        there: ``[b, m]`` bool, which of them count.
        lists: Companions of all items and their counts, ``[I, K]`` each.
        places: ``[b or more, I]`` zeros; they are zeros again afterwards.
    """
    rows, neighbors = near.shape
    places = places[:rows]
    # neighbor n of row b is at place n + 1; what is none has item 0 and must not hide it
    place = torch.where(there, torch.arange(1, neighbors + 1), 0).to(places.dtype)
    places.scatter_reduce_(1, near, place, "amax")
    index, count = (of_all[near] for of_all in lists)  # [b, m, K]
    found = places.gather(1, index.flatten(1).long()).view(index.shape)
    row, left, slot = ((found > 0) & (count > 0) & there.unsqueeze(2)).nonzero(as_tuple=True)
    places.scatter_(1, near, 0)
    between = torch.zeros(rows, neighbors, neighbors)
    between[row, left, found[row, left, slot].long() - 1] = count[row, left, slot]
    return torch.maximum(between, between.transpose(1, 2))


def _by_predictor(predictor: Tensor, weight: Tensor) -> NeighborTable:
    """Return the weights ``[I, m]`` of what predicts each item as lists of what each item predicts.

    A popular item predicts many: the longest list would set the width of all. Of each item the 4 m of largest weight
    are kept.
    """
    items, neighbors = predictor.shape
    widest = 4 * neighbors
    place, column = (weight != 0).nonzero(as_tuple=True)
    source, value = predictor[place, column].long(), weight[place, column]
    order = value.abs().argsort(descending=True, stable=True)
    order = order[source[order].argsort(stable=True)]
    source, place, value = source[order], place[order], value[order]
    rank = torch.arange(len(source)) - torch.searchsorted(source, source)
    width = max(min(widest, int(rank.max()) + 1 if len(rank) else 1), 1)
    kept = rank < width
    index = torch.zeros(items, width, dtype=torch.int32)
    out = torch.zeros(items, width)
    index[source[kept], rank[kept]] = place[kept].int()
    out[source[kept], rank[kept]] = value[kept]
    return NeighborTable(index, out)
