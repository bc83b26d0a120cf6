"""DropWords: some words of a text are left out."""

from __future__ import annotations

import numpy as np

from lit_rec.data.augmentation.text_augmentation import Making, WordAugmentation
from lit_rec.data.augmentation.words import Words


class DropWords(WordAugmentation):
    """Leave out some words of a text, never all of them.

    Args:
        rate: Share of a training step's texts in whose place a variant is read.
        copies: How many variants of each text are made, at most.
        share: Share of a text's words that are left out, at least one word; a text of one word has no variant.

    Raises:
        ConfigError: If a share is not above 0 and up to 1, or ``copies`` is below 1.

    Reference:
        Wei & Zou 2019, EDA, https://arxiv.org/abs/1901.11196 (random deletion).

    Example:
        >>> from pathlib import Path
        >>> DropWords(copies=2).variants(["two words"], Making(0, None, Path()))
        [['words', 'two']]
    """

    def change(self, words: Words, rng: np.random.Generator, making: Making) -> str | None:
        """Return the text without the words drawn."""
        most = len(words.words) - 1
        number = min(self.changed(words), most)
        left_out = rng.choice(most + 1, number, replace=False).tolist() if number else []
        return words.without(set(left_out))
