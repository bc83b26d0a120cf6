"""SwapWords: some words of a text change places."""

from __future__ import annotations

import numpy as np

from lit_rec.data.augmentation.text_augmentation import Making, WordAugmentation
from lit_rec.data.augmentation.words import Words


class SwapWords(WordAugmentation):
    """Exchange pairs of words of a text; punctuation stays in its place.

    Args:
        rate: Share of a training step's texts in whose place a variant is read.
        copies: How many variants of each text are made, at most.
        share: How many exchanges there are, as a share of a text's words, at least one.

    Raises:
        ConfigError: If a share is not above 0 and up to 1, or ``copies`` is below 1.

    Reference:
        Wei & Zou 2019, EDA, https://arxiv.org/abs/1901.11196 (random swap).

    Example:
        >>> from pathlib import Path
        >>> SwapWords().variants(["Heat, Crime."], Making(0, None, Path()))
        [['Crime, Heat.']]
    """

    def change(self, words: Words, rng: np.random.Generator, making: Making) -> str | None:
        """Return the text after the exchanges drawn."""
        if len(words.words) < 2:
            return None
        order = list(words.words)
        for _ in range(self.changed(words)):
            one, other = rng.choice(len(order), 2, replace=False).tolist()
            order[one], order[other] = order[other], order[one]
        return words.replaced(order)
