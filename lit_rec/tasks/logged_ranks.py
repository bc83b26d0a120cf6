"""RankMetric: what is logged of the ranks of what came next, that of the report."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from lit_rec.evaluation.metrics.ranks import GAINS, rank_gains

# of what the report has, what curves are of use: 24 would bury them
LOGGED = tuple(name for name in GAINS if not name.startswith("masked_") or name.endswith("@10"))


class RankMetric(Metric):
    """The mean of one metric over rows; NaN without any.

    All of them keep the sums of all, so that a collection finds them equal and adds up once.

    Args:
        name: Name of the metric.

    Shape:
        ``update`` takes ranks ``[n, 2]``; see ``target_ranks``.

    Example:
        >>> metric = RankMetric("recall@5")
        >>> metric.update(torch.tensor([[3.0, 3.0], [9.0, 5.0]]), torch.tensor([7, 7]))
        >>> metric.compute()
        tensor(0.5000)
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    sums: Tensor
    count: Tensor

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(**options)
        self._place = LOGGED.index(name)
        self.add_state("sums", torch.zeros(len(LOGGED)), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros(()), dist_reduce_fx="sum")

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add rows."""
        gains = rank_gains(preds.double().cpu().numpy())
        added = torch.from_numpy(np.array([gains[name].sum() for name in LOGGED]))
        self.sums += added.to(self.sums)
        self.count += len(preds)

    def compute(self) -> Tensor:
        """Return the mean."""
        return self.sums[self._place] / self.count
