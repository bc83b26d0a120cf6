"""Metrics of ranked impressions, vectorized over impressions, and ImpressionMeasures, which compares models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

import numpy as np

from lit_rec.data.arrays import Bools, Float64s, Int64s
from lit_rec.evaluation.report.intervals import Drawn
from lit_rec.evaluation.report.measures import Figure, Measures, mean_figure


class RankedImpressions:
    """The rows of each impression, best score first; sorted once for all metrics.

    Rows of equal score share the mean of their ranks, or of their discounts, in whatever order they are. An impression
    without a relevant row, or (AUC) without an irrelevant one, has NaN and does not count.

    Args:
        impression: ``[R]`` numbers; rows of -1 belong to no impression.
        score: ``[R]``.
        relevant: ``[R]``, such as the clicked ones.

    Attributes:
        impression: ``[G]`` distinct numbers, which increase; the metrics return ``[G]`` values in this order.
        row: ``[G]`` a row of each impression, for example to look up its user.

    Example:
        >>> ranked = RankedImpressions(np.array([7, 7, 7]), np.array([0.9, 0.8, 0.7]), np.array([False, True, True]))
        >>> ranked.auc(), ranked.mrr(), ranked.mind_mrr()
        (array([0.]), array([0.5]), array([0.41666667]))
    """

    def __init__(self, impression: Int64s, score: Float64s, relevant: Bools) -> None:
        rows = np.flatnonzero(impression >= 0)
        rows = rows[np.lexsort((-score[rows], impression[rows]))]
        self.impression, start, size = np.unique(
            impression[rows], return_index=True, return_counts=True
        )
        self.row: Int64s = rows[start]
        self._group = np.repeat(np.arange(len(start)), size)  # [R']
        self._place = np.arange(len(rows)) - start[self._group]  # [R'], 0 is the best
        self._relevant = relevant[rows]
        new = np.ones(len(rows), bool)
        ordered = score[rows]
        new[1:] = (np.diff(self._group) > 0) | (ordered[1:] != ordered[:-1])
        self._tie = np.cumsum(new) - 1  # [R'], rows of one impression and score have one number
        self._tie_size = np.bincount(self._tie)
        self._rank: Float64s = (self._place[new] + (self._tie_size + 1) / 2)[self._tie]  # from 1
        self._relevants = self._sums(self._relevant)  # [G]
        self._others = size - self._relevants

    def auc(self) -> Float64s:
        """Return the share of pairs of a relevant and an irrelevant row in the right order; ties count half."""
        relevants, others = self._relevants, self._others
        from_below = (relevants + others)[self._group] + 1 - self._rank
        wins = self._sums(from_below * self._relevant) - relevants * (relevants + 1) / 2
        return _ratio(wins, relevants * others)

    def mrr(self) -> Float64s:
        """Return 1 / rank of the first relevant row.

        Reference:
            Voorhees 1999, The TREC-8 question answering track report.
        """
        found = np.flatnonzero(self._relevant)
        group, first = np.unique(self._group[found], return_index=True)
        values = np.full(len(self.impression), np.nan)
        values[group] = 1 / self._rank[found[first]]
        return values

    def mind_mrr(self) -> Float64s:
        """Return the mean of 1 / rank over the relevant rows, called MRR in the script of the MIND benchmark.

        With two relevant rows or more even a perfect order stays below 1.

        Reference:
            Wu et al. 2020, MIND, https://aclanthology.org/2020.acl-main.331, and its ``evaluate.py``.
        """
        return _ratio(self._sums(self._relevant / self._rank), self._relevants)

    def ndcg(self, k: int) -> Float64s:
        """Return the discounted gain of the first ``k`` ranks over that of the best order; a relevant row's gain is 1.

        Reference:
            McSherry & Najork 2008, Computing information retrieval performance measures efficiently in the presence of
            tied scores, https://doi.org/10.1007/978-3-540-78646-7_38.
        """
        discount = 1 / np.log2(np.arange(k) + 2)
        within = np.where(self._place < k, discount[np.minimum(self._place, k - 1)], 0)  # [R']
        mean = np.bincount(self._tie, within) / self._tie_size
        best = np.concatenate([[0], np.cumsum(discount)])
        gain = self._sums(mean[self._tie] * self._relevant)
        return _ratio(gain, best[np.minimum(self._relevants, k).astype(np.int64)])

    def _sums(self, values: Float64s | Bools) -> Float64s:
        """Return the sum of ``values`` ``[R']`` in each impression, ``[G]``."""
        sums = np.bincount(self._group, values, minlength=len(self.impression))
        return sums.astype(np.float64)


def _ratio(part: Float64s, whole: Float64s) -> Float64s:
    ratio: Float64s = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio


class ImpressionMeasures(Measures):
    """Means over impressions: ``impression_auc``, ``mrr``, ``mind_mrr``, ``ndcg@5`` and ``ndcg@10``.

    ``impression_auc_difference`` is the first model's minus another's. A slice ranks its own rows alone, so
    ``new_items`` compares new items with each other. An impression is drawn whole, with its user. Items are not drawn:
    without some of its items an impression would be another one.

    Args:
        scores: ``[R]`` scores of each of M models.
        relevant: ``[R]``.
        impression: ``[R]`` numbers, each of one user; -1 where there is none.
    """

    def __init__(self, scores: Sequence[Float64s], relevant: Bools, impression: Int64s) -> None:
        self._scores, self._relevant, self._impression = scores, relevant, impression

    def on(self, mask: Bools, drawn: Drawn) -> dict[str, Figure]:
        """Return the figures; their count is that of the impressions."""
        impression, relevant = self._impression[mask], self._relevant[mask]
        ranked = [RankedImpressions(impression, s[mask], relevant) for s in self._scores]
        drawn = replace(drawn, user=drawn.user[ranked[0].row], item=None)
        gains = {
            "mrr": [r.mrr() for r in ranked],
            "mind_mrr": [r.mind_mrr() for r in ranked],
            "ndcg@5": [r.ndcg(5) for r in ranked],
            "ndcg@10": [r.ndcg(10) for r in ranked],
        }
        auc = _means(np.array([r.auc() for r in ranked]), drawn)
        # one bootstrap for all metrics that count the same impressions
        together = _means(np.concatenate(list(gains.values())), drawn)
        starts = range(0, len(together.value), len(ranked))
        parts = [together.map(itemgetter(slice(s, s + len(ranked)))) for s in starts]
        return {
            "impression_auc": auc,
            **dict(zip(gains, parts, strict=True)),
            "impression_auc_difference": auc.map(lambda value: value[0] - value),
        }


def _means(values: Float64s, drawn: Drawn) -> Figure:
    """Return the means of ``[M, G]`` over G; impressions of NaN, the same for all models, do not count."""
    known = ~np.isnan(values[0])
    return mean_figure(values[:, known], replace(drawn, user=drawn.user[known]))
