"""MaskWords: the encoder's mask token in place of some words of a text."""

from __future__ import annotations

from typing import Any

import numpy as np

from lit_rec.data.augmentation.text_augmentation import Making, WordAugmentation
from lit_rec.data.augmentation.words import Words
from lit_rec.errors import ConfigError, option_of


class MaskWords(WordAugmentation):
    """Put the tokenizer's mask token in place of some words of a text.

    Args:
        rate: Share of a training step's texts in whose place a variant is read.
        copies: How many variants of each text are made, at most.
        share: Share of a text's words that are masked, at least one word.
        token: What is read in their place; by default the tokenizer's mask token, such as ``[MASK]``.

    Raises:
        ConfigError: If a share is not above 0 and up to 1, or ``copies`` is below 1; before training, if the tokenizer
            has no mask token and none is given.

    Example:
        >>> from pathlib import Path
        >>> MaskWords(copies=2).variants(["two words"], Making(0, "[MASK]", Path()))
        [['[MASK] words', 'two [MASK]']]
    """

    def __init__(
        self, rate: float = 0.2, copies: int = 4, share: float = 0.1, token: str | None = None
    ) -> None:
        super().__init__(rate, copies, share)
        self.token = token

    def fingerprint(self, making: Making) -> Any:
        """Return the options, and the mask token."""
        return [super().fingerprint(making), self._mask(making)]

    def change(self, words: Words, rng: np.random.Generator, making: Making) -> str | None:
        """Return the text with mask tokens."""
        masked = list(words.words)
        for place in rng.choice(len(masked), self.changed(words), replace=False).tolist():
            masked[place] = self._mask(making)
        return words.replaced(masked)

    def _mask(self, making: Making) -> str:
        mask = self.token or making.mask
        if not mask:
            raise ConfigError(
                "the tokenizer has no mask token",
                where=option_of(self, "token"),
                rule="a tokenizer with a mask token, as encoders such as BERT have, or a word to read in its place",
                remedy="set MaskWords.token to a word such as '_', or use DropWords",
            )
        return mask
