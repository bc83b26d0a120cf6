"""CropBehaviors: a part of a history in its order."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.augmentation.behavior_augmentation import BehaviorAugmentation
from lit_rec.ranges import part_of_all


class CropBehaviors(BehaviorAugmentation):
    """Keep successive behaviors of a history, from a place that is drawn, and leave out those before and after them.

    Args:
        rate: Share of a training step's histories that are cropped.
        keep: Share of a history that is kept, at least one behavior.

    Raises:
        ConfigError: If a share is not above 0 and up to 1.

    Reference:
        Xie et al. 2022, CL4SRec, https://arxiv.org/abs/2010.14395 (crop; there for a contrastive loss).

    Example:
        >>> CropBehaviors(keep=0.5).places(np.array([4]), 4, np.random.default_rng(0)).tolist()
        [[2, 3, -1, -1]]
    """

    def __init__(self, rate: float = 0.2, keep: float = 0.6) -> None:
        super().__init__(rate)
        self.keep = part_of_all(self, "keep", keep)

    def places(self, length: Int64s, width: int, rng: np.random.Generator) -> Int64s:
        """Return the slots that are kept."""
        kept = np.maximum((self.keep * length).astype(np.int64), 1)
        begin = rng.integers(0, length - kept + 1)
        step = np.arange(width)
        return np.where(step < kept[:, None], begin[:, None] + step, -1)
