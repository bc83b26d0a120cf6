"""What peers of the next item share: histories end to end, and nDCG@10 of validation rows."""

from __future__ import annotations

import numpy as np

from tools.benchmarks.peers.exchange import Array


def row_of_entry(offsets: Array) -> Array:
    """Return which of R histories each of the S entries belongs to, ``[S]``.

    Args:
        offsets: ``[R + 1]`` where each history begins, and the end.

    Example:
        >>> row_of_entry(np.array([0, 2, 2, 3])).tolist()
        [0, 0, 2]
    """
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def unseen_ndcg(scores: Array, target: Array, row: Array, item: Array) -> float:
    """Return the mean nDCG@10 of targets among items that are not in their row's history.

    It only chooses a peer's options; figures are made by lit_rec.

    Args:
        scores: ``[R, I]``.
        target: ``[R]``.
        row: ``[S]`` rows of the histories' entries.
        item: ``[S]`` their items.

    Example:
        >>> scores = np.array([[0.9, 0.5, 0.1]])
        >>> unseen_ndcg(scores, np.array([1]), np.array([0, 0]), np.array([0, 1]))
        1.0
    """
    own = scores[np.arange(len(target)), target]
    hidden = scores.copy()
    hidden[row, item] = -np.inf
    hidden[np.arange(len(target)), target] = -np.inf
    rank = 1 + (hidden >= own[:, None]).sum(1)
    return float(np.where(rank <= 10, 1 / np.log2(1 + rank), 0).mean())
