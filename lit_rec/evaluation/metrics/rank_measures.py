"""How models of what comes next are compared."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from lit_rec.data.arrays import Bools, Float64s
from lit_rec.evaluation.metrics.rank_gains import MAIN, rank_gains
from lit_rec.evaluation.report.intervals import Drawn
from lit_rec.evaluation.report.measures import DIFFERENCE, Figure, Measures, mean_figure

_PAIRED = (MAIN, "recall@10", f"masked_{MAIN}", "masked_recall@10")


class RankMeasures(Measures):
    """``recall@k``, ``ndcg@k`` and ``mrr@k`` for k of 1, 5, 10 and 50, and the same as ``masked_...``.

    ``..._difference`` is the first model's minus another's: of ``ndcg@10`` and ``recall@10``, by both conventions.

    Args:
        ranks: Of each of M models ``[R, 2]``, the ranks of what came next: among all items, and among those not seen.
    """

    def __init__(self, ranks: Sequence[Float64s]) -> None:
        by_model = [rank_gains(of_model) for of_model in ranks]
        self._names, self._models = list(by_model[0]), len(ranks)
        # [metrics * M, R], the models of a metric together
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
