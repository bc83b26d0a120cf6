"""MaskBehaviors: some behaviors of a history are hidden."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.augmentation.behavior_augmentation import BehaviorAugmentation
from lit_rec.ranges import part_of_all


class MaskBehaviors(BehaviorAugmentation):
    """Hide some behaviors of a history, drawn one by one.

    They are left out: an item that stands for a hidden one would have no text, and no user encoder a place for it.

    Args:
        rate: Share of a training step's histories of which some is hidden.
        share: Share of a history that is hidden, rounded down; never all of it.

    Raises:
        ConfigError: If a share is not above 0 and up to 1.

    Reference:
        Xie et al. 2022, CL4SRec, https://arxiv.org/abs/2010.14395 (mask; there for a contrastive loss, with a learned
        vector in the places of masked items).

    Example:
        >>> MaskBehaviors(share=0.5).places(np.array([4]), 4, np.random.default_rng(0)).tolist()
        [[0, 1, -1, -1]]
    """

    def __init__(self, rate: float = 0.2, share: float = 0.3) -> None:
        super().__init__(rate)
        self.share = part_of_all(self, "share", share)

    def places(self, length: Int64s, width: int, rng: np.random.Generator) -> Int64s:
        """Return the slots that are not hidden."""
        hidden = np.minimum((self.share * length).astype(np.int64), length - 1)
        real = np.arange(width) < length[:, None]
        chance = np.where(real, rng.random((len(length), width)), 2.0)
        rank = chance.argsort(1).argsort(1)  # among the history's slots, padding last
        place = np.where(real & (rank >= hidden[:, None]), np.arange(width), width)
        place.sort(1)
        return np.where(place < width, place, -1)
