"""Which metrics of ranks and impressions are logged; their classes need torchmetrics, these names do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lit_rec.data.arrays import Float64s
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.metrics.impressions import RankedImpressions
from lit_rec.evaluation.metrics.ranks import GAINS

if TYPE_CHECKING:
    from lit_rec.data.datamodule import BehaviorDataModule

# the report's metrics that are logged as curves: all 24 would be too many
LOGGED = tuple(name for name in GAINS if not name.startswith("masked_") or name.endswith("@10"))


def has_impressions(data: BehaviorDataModule, part: str) -> bool:
    """Return whether a part has an impression with rows of both labels, so that there is something to rank.

    Args:
        data: The behaviors.
        part: ``val`` or ``test``.
    """
    rows = data.prepared.rows_of(part)
    impression = np.asarray(data.prepared.impression[rows])
    target = target_of_rows(data.prepared, data.facts)[rows]
    negative, positive = (impression[(impression >= 0) & (target == label)] for label in (0, 1))
    return bool(np.isin(negative, positive).any())


def _ndcg_at_5(ranked: RankedImpressions) -> Float64s:
    return ranked.ndcg(5)


def _ndcg_at_10(ranked: RankedImpressions) -> Float64s:
    return ranked.ndcg(10)


# the report's metrics of impressions, by name
IMPRESSION_MEASURES: dict[str, Callable[[RankedImpressions], Float64s]] = {
    "impression_auc": RankedImpressions.auc,
    "mrr": RankedImpressions.mrr,
    "mind_mrr": RankedImpressions.mind_mrr,
    "ndcg@5": _ndcg_at_5,
    "ndcg@10": _ndcg_at_10,
}
