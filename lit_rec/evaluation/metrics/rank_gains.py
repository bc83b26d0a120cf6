"""Recall, nDCG and MRR of a single relevant item, from its rank."""

from __future__ import annotations

from functools import partial

import numpy as np

from lit_rec.data.arrays import Float64s

CUTS = (1, 5, 10, 50)
MAIN = "ndcg@10"


def recall(rank: Float64s, k: int) -> Float64s:
    """Return whether the item is among the first k.

    Example:
        >>> recall(np.array([1.0, 5.0, 5.5]), 5)
        array([1., 1., 0.])
    """
    return (rank <= k).astype(np.float64)


def ndcg(rank: Float64s, k: int) -> Float64s:
    """Return ``1 / log2(1 + rank)`` within the first k, which the best order has as 1, else 0.

    Reference:
        Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation, https://doi.org/10.1145/582415.582418.

    Example:
        >>> ndcg(np.array([1.0, 3.0, 9.0]), 5)
        array([1. , 0.5, 0. ])
    """
    gain: Float64s = np.where(rank <= k, 1 / np.log2(1 + rank), 0.0)
    return gain


def mrr(rank: Float64s, k: int) -> Float64s:
    """Return ``1 / rank`` within the first k, else 0.

    Example:
        >>> mrr(np.array([1.0, 4.0, 9.0]), 5)
        array([1.  , 0.25, 0.  ])
    """
    gain: Float64s = np.where(rank <= k, 1 / rank, 0.0)
    return gain


# name -> which of both conventions, and the gain: among all items, and, masked, among those that the history has not
GAINS = {
    f"{prefix}{gain.__name__}@{k}": (convention, partial(gain, k=k))
    for convention, prefix in enumerate(("", "masked_"))
    for k in CUTS
    for gain in (recall, ndcg, mrr)
}


def rank_gains(ranks: Float64s) -> dict[str, Float64s]:
    """Return every metric of each row by its name, the main one first.

    Args:
        ranks: ``[R, 2]``: among all items, and among those not seen; see ``target_ranks``.

    Returns:
        24 metrics ``[R]``.
    """
    ranks = ranks.reshape(-1, 2)  # no row at all leaves no axis of conventions
    names = [MAIN, *(name for name in GAINS if name != MAIN)]
    return {name: GAINS[name][1](ranks[:, GAINS[name][0]]) for name in names}
