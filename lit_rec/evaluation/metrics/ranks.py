"""Recall, nDCG and MRR of a single relevant item, from its rank, and RankMeasures, which compares models."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import itemgetter

import numpy as np

from lit_rec.data.arrays import Bools, Float64s
from lit_rec.evaluation.report.intervals import Drawn
from lit_rec.evaluation.report.measures import DIFFERENCE, Figure, Measures, mean_figure

CUTS = (1, 5, 10, 50)
MAIN = "masked_ndcg@10"  # of reports, and which epoch is best: what was seen is left out, as ``recommend`` does
_PAIRED = (MAIN, "masked_recall@10", "ndcg@10", "recall@10")


def recall(rank: Float64s, k: int) -> Float64s:
    """Return whether the item is among the first k.

    Example:
        >>> recall(np.array([1.0, 5.0, 5.5]), 5)
        array([1., 1., 0.])
    """
    return (rank <= k).astype(np.float64)


def ndcg(rank: Float64s, k: int) -> Float64s:
    """Return ``1 / log2(1 + rank)`` within the first k, else 0; the best rank has 1.

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


# name -> convention and gain; convention 0: among all items, 1 (masked): among items that the history does not have
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
    ranks = ranks.reshape(-1, 2)  # without rows the axis of conventions is missing
    names = [MAIN, *(name for name in GAINS if name != MAIN)]
    return {name: GAINS[name][1](ranks[:, GAINS[name][0]]) for name in names}


class RankMeasures(Measures):
    """``recall@k``, ``ndcg@k`` and ``mrr@k`` for k of 1, 5, 10 and 50, and the same as ``masked_...``.

    ``..._difference`` is the first model's minus another's, for ``ndcg@10`` and ``recall@10`` by both conventions.

    Args:
        ranks: For each of M models ``[R, 2]``, the ranks of the next items: among all items, and among those not seen.
    """

    def __init__(self, ranks: Sequence[Float64s]) -> None:
        by_model = [rank_gains(of_model) for of_model in ranks]
        self._names, self._models = list(by_model[0]), len(ranks)
        # [metrics * M, R], models of one metric side by side
        self._gains = np.stack([gains[name] for name in self._names for gains in by_model])

    def on(self, mask: Bools, drawn: Drawn) -> dict[str, Figure]:
        """Return the figures."""
        together = mean_figure(self._gains[:, mask], drawn)  # one bootstrap for all
        figures = {
            name: together.map(itemgetter(slice(start, start + self._models)))
            for name, start in zip(
                self._names, range(0, len(self._gains), self._models), strict=True
            )
        }
        compared = {
            name + DIFFERENCE: figures[name].map(lambda value: value[0] - value) for name in _PAIRED
        }
        return figures | compared
