"""Trial: held-out training rows, on which the options of the baselines are chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.evaluation.metrics.ranks import ndcg
from lit_rec.models.neighbors.baskets import Baskets

_SCORES = 4 * 10**7  # rows times items: bounds the time
_ROWS = 10_000
_ITEMS = 5000
_AT_ONCE = 2**20
_CUT = 10


@dataclass(frozen=True)
class Trial:
    """Training rows that the baskets lack, with their histories.

    Shape:
        baskets: of the other training rows. history: ``[R, H]`` int64 items, oldest first. mask: ``[R, H]`` bool.
        target: ``[R]`` int64 items. code: ``[I]`` int64, the items' codes here; -1 for those that are left out.
        taken: ``[R, H]`` bool, the slots whose items are seen; None: all.

    Example:
        >>> baskets = Baskets(np.array([0, 0]), np.array([0, 1]), items=3)
        >>> history, mask = torch.tensor([[0, 1]]), torch.tensor([[True, True]])
        >>> trial = Trial(baskets, history, mask, torch.tensor([2]), np.arange(3))
        >>> trial.ndcg(torch.tensor([[9.0, 9.0, 1.0]]))  # what was seen does not count
        1.0
    """

    baskets: Baskets
    history: Tensor
    mask: Tensor
    target: Tensor
    code: Int64s
    taken: Tensor | None = None

    @classmethod
    def of_rows(
        cls,
        baskets: Baskets,
        history: Int64s,
        mask: Bools,
        target: Int64s,
        taken: Bools | None = None,
        seed: int = 0,
    ) -> Trial:
        """Make it from held-out rows; of many items the most frequent 5,000, of many rows a sample of 8,000.

        Args:
            baskets: Of the other training rows.
            history: ``[R, H]``.
            mask: ``[R, H]``.
            target: ``[R]``.
            taken: ``[R, H]``, the slots whose items are seen; None: all.
            seed: Seed of the sample.
        """
        items = min(baskets.items, _ITEMS)
        code = np.full(baskets.items, -1, np.int64)
        frequent = np.sort(np.argsort(-baskets.counts, kind="stable")[:items])
        code[frequent] = np.arange(items)
        history = np.where(mask, code[history], -1)
        usable = np.flatnonzero((code[target] >= 0) & (history >= 0).any(1))
        most = min(_ROWS, _SCORES // max(items, 1))
        if len(usable) > most:
            usable = np.sort(np.random.default_rng(seed).choice(usable, most, replace=False))
        history = history[usable]
        # slots of items that are left out would lie between others: real slots go to the left
        order = np.argsort(history < 0, axis=1, kind="stable")
        history = np.take_along_axis(history, order, 1)
        if taken is not None:
            taken = np.take_along_axis(taken[usable], order, 1)
        return cls(
            baskets.among(code, items),
            torch.from_numpy(np.maximum(history, 0)),
            torch.from_numpy(history >= 0),
            torch.from_numpy(code[target[usable]]),
            code,
            None if taken is None else torch.from_numpy(taken & (history >= 0)),
        )

    def ndcg(self, scores: Tensor) -> float:
        """Return the mean nDCG@10 of ``scores`` ``[R, I]`` among unseen items, which changes them."""
        return self.ndcg_of_each(lambda rows: [scores[rows]])[0]

    def ndcg_of_each(self, scores_of: Callable[[slice], Iterable[Tensor]]) -> list[float]:
        """Return the mean nDCG@10 for each of several options, from a block of rows at a time.

        Args:
            scores_of: From some of the rows to their scores ``[b, I]``, once for each of the options.
        """
        # blocks that stay in the processor's cache: memory for all rows takes longer to get than to fill
        step = max(_AT_ONCE // max(self.baskets.items, 1), 1)
        blocks = [slice(start, start + step) for start in range(0, len(self.target), step)]
        gains = [[self._gain(each, rows) for each in scores_of(rows)] for rows in blocks]
        if not gains:
            return [0.0 for _ in scores_of(slice(0, 0))]
        return [total / len(self.target) for total in np.sum(gains, 0).tolist()]

    def _gain(self, scores: Tensor, rows: slice) -> float:
        """Return the sum of the rows' nDCG@10."""
        target, history = self.target[rows].unsqueeze(1), self.history[rows]
        own = scores.gather(1, target)
        taken = self.mask if self.taken is None else self.taken
        row, slot = taken[rows].nonzero(as_tuple=True)
        scores[row, history[row, slot]] = -torch.inf
        scores.scatter_(1, target, own)
        above = (scores > own).sum(1)
        near = above < _CUT
        level = (scores[near] == own[near]).sum(1)
        rank = above[near] + (level + 1) / 2
        return float(ndcg(rank.double().numpy(), _CUT).sum())
