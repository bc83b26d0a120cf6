"""Search by scores that are not inner products: every item is scored, in constant memory."""

from __future__ import annotations

import torch

from lit_rec.inference.index.best_columns import best_columns, merged
from lit_rec.inference.index.item_index import Found, Rescore
from lit_rec.inference.index.search_space import SearchSpace


def search_by_scores(
    score: Rescore, space: SearchSpace, queries: int, k: int, *, at_once: int, device: torch.device
) -> Found:
    """Return the k best items of each query, best first and ties in the catalogue's order.

    Args:
        score: Takes indices of b queries and rows ``[1, c]`` of items, and returns scores ``[b, c]``.
        space: The items that each query may find.
        queries: B, the number of queries.
        k: Number of items.
        at_once: Largest number of scores in a block of queries and items.
        device: Device of the scores.

    Example:
        >>> ratings = torch.tensor([[3.0, 5.0, 4.0], [1.0, 1.0, 1.0]])
        >>> space = SearchSpace(3, 2, [[1], []], None, torch.empty(0, dtype=torch.int64))
        >>> search_by_scores(lambda q, rows: ratings[q][:, rows[0]], space, 2, 2, at_once=2, device=ratings.device)
        Found(rows=tensor([[2, 0],
                [0, 1]]), scores=tensor([[4., 3.],
                [1., 1.]]))
    """
    rows = torch.full((queries, k), -1, device=device)
    scores = torch.full((queries, k), -torch.inf, device=device)
    columns = max(1, min(space.size, at_once))
    step = max(1, at_once // columns)
    for start in range(0, queries, step):
        part = slice(start, min(start + step, queries))
        best = scores[part, :0], rows[part, :0]
        for first in range(0, space.size, columns):
            places = torch.arange(first, min(first + columns, space.size), device=device)
            values = score(part, space.rows(places).unsqueeze(0)).float()
            space.close(values, first, part)
            values, column = best_columns(values, min(k, len(places)))
            best = merged(best, (values, column + first), k)
        width = best[0].shape[1]
        scores[part, :width] = best[0]
        rows[part, :width] = torch.where(best[0] > -torch.inf, space.rows(best[1]), -1)
    return Found(rows, scores)
