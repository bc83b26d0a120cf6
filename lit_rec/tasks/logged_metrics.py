"""The metrics that are logged, over all batches and processes: of ranks, of impressions, and of labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.classification import BinaryAUROC, MulticlassAccuracy, MulticlassF1Score
from torchmetrics.utilities import dim_zero_cat

from lit_rec.data.arrays import Float64s
from lit_rec.evaluation.metrics.impressions import RankedImpressions
from lit_rec.evaluation.metrics.ranks import rank_gains
from lit_rec.tasks.logged_names import LOGGED


class RankMetric(Metric):
    """The mean of one metric over rows; NaN without rows.

    Each holds the sums of all metrics, so that a MetricCollection recognises equal states and updates once.

    Args:
        name: The metric's name.

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


class ImpressionMetric(Metric):
    """The mean of a metric over impressions; NaN if no impression counts.

    The state holds rows, not ranks, because the rows of an impression may be in several batches and processes.

    Args:
        measure: Returns a value for each impression, NaN for those where the metric is not defined.

    Shape:
        ``update`` takes probabilities ``[n, 2]`` of two labels, targets ``[n]`` and numbers of impressions ``[n]``, -1
        for none.

    Example:
        >>> metric = ImpressionMetric(RankedImpressions.mrr)
        >>> metric.update(torch.tensor([[0.4, 0.6], [0.1, 0.9]]), torch.tensor([1, 0]), torch.tensor([7, 7]))
        >>> metric.compute()
        tensor(0.5000)
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    impression: list[Tensor]
    score: list[Tensor]
    relevant: list[Tensor]

    def __init__(self, measure: Callable[[RankedImpressions], Float64s], **options: Any) -> None:
        super().__init__(**options)
        self._measure = measure
        for name in ("impression", "score", "relevant"):
            # "cat" joins a process's batches before it gathers; otherwise processes with unequal numbers of batches
            # would gather unequally often
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, preds: Tensor, target: Tensor, impression: Tensor) -> None:
        """Add the rows that belong to an impression."""
        shown = impression >= 0
        self.impression.append(impression[shown])
        self.score.append(preds[shown, 1].float())
        self.relevant.append(target[shown] == 1)

    def sync(self, *args: Any, **kwargs: Any) -> None:
        """Gather rows; a process without a batch contributes empty tensors of the right types."""
        if not self.impression:
            self.update(torch.empty(0, 2), torch.empty(0), torch.empty(0, dtype=torch.int64))
            for rows in (self.impression, self.score, self.relevant):
                rows[0] = rows[0].to(self.device)
        super().sync(*args, **kwargs)

    def compute(self) -> Tensor:
        """Return the mean."""
        impression, score, relevant = (
            dim_zero_cat(rows).cpu().numpy()
            for rows in (self.impression, self.score, self.relevant)
        )
        values = self._measure(RankedImpressions(impression, score.astype(np.float64), relevant))
        values = values[~np.isnan(values)]
        return torch.tensor(values.mean() if len(values) else np.nan, dtype=torch.float32)


class LabelAccuracy(MulticlassAccuracy):
    """The share of right labels."""

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count rows; torchmetrics would fail on a batch without labels, or a process without rows."""
        if len(target):
            super().update(preds, target)


class LabelMacroF1(MulticlassF1Score):
    """The mean of the labels' F1 scores."""

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Count rows, as ``LabelAccuracy`` does."""
        if len(target):
            super().update(preds, target)


class PositiveAUC(BinaryAUROC):
    """The area under the ROC curve from the probabilities of both labels."""

    def update(self, preds: Tensor, target: Tensor, *args: Any) -> None:
        """Add the probabilities of the positive label."""
        super().update(preds[:, 1], target)
