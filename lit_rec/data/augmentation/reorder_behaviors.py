"""ReorderBehaviors: a part of a history in another order."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.augmentation.behavior_augmentation import BehaviorAugmentation
from lit_rec.ranges import part_of_all


class ReorderBehaviors(BehaviorAugmentation):
    """Shuffle successive behaviors of a history, from a place that is drawn: their exact order then counts less.

    Args:
        rate: Share of a training step's histories of which a part is shuffled.
        share: Share of a history that is shuffled, rounded down.

    Raises:
        ConfigError: If a share is not above 0 and up to 1.

    Reference:
        Xie et al. 2022, CL4SRec, https://arxiv.org/abs/2010.14395 (reorder; there for a contrastive loss).

    Example:
        >>> ReorderBehaviors(share=0.8).places(np.array([4]), 4, np.random.default_rng(1)).tolist()
        [[1, 2, 0, 3]]
    """

    def __init__(self, rate: float = 0.2, share: float = 0.6) -> None:
        super().__init__(rate)
        self.share = part_of_all(self, "share", share)

    def places(self, length: Int64s, width: int, rng: np.random.Generator) -> Int64s:
        """Return all slots, those of the drawn part in another order."""
        span = (self.share * length).astype(np.int64)
        begin = rng.integers(0, length - span + 1)[:, None]
        step = np.arange(width)
        inside = (step >= begin) & (step < begin + span[:, None])
        # slots outside keep their place; those inside are sorted by chance, between the two sides
        key = np.where(inside, begin + rng.random((len(length), width)), step)
        place = key.argsort(1, kind="stable")
        return np.where(step < length[:, None], place, -1)
