"""How models that rank what was shown together are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

import numpy as np

from lit_rec.data.arrays import Bools, Float64s, Int64s
from lit_rec.evaluation.metrics.impressions import RankedImpressions
from lit_rec.evaluation.report.intervals import Drawn
from lit_rec.evaluation.report.measures import Figure, Measures, mean_figure


class ImpressionMeasures(Measures):
    """Means over impressions: ``impression_auc``, ``mrr``, ``mind_mrr``, ``ndcg@5`` and ``ndcg@10``.

    ``impression_auc_difference`` is the first model's minus another's. A slice ranks its own rows alone, so
    ``new_items`` asks how new items are told apart. An impression is drawn whole, with its user; items are not drawn,
    for without some of its items an impression is another one.

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
        # one bootstrap for all that count the same impressions
        together = _means(np.concatenate(list(gains.values())), drawn)
        starts = range(0, len(together.value), len(ranked))
        parts = [together.map(itemgetter(slice(s, s + len(ranked)))) for s in starts]
        return {
            "impression_auc": auc,
            **dict(zip(gains, parts, strict=True)),
            "impression_auc_difference": auc.map(lambda value: value[0] - value),
        }


def _means(values: Float64s, drawn: Drawn) -> Figure:
    """Return the means of ``[M, G]``; those that are NaN, the same for all models, do not count."""
    known = ~np.isnan(values[0])
    return mean_figure(values[:, known], replace(drawn, user=drawn.user[known]))
