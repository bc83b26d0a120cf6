"""TextAugmentation: makes variants of texts before training; WordAugmentation: those that change some words."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lit_rec.data.augmentation.augmentation import Augmentation
from lit_rec.data.augmentation.words import Words
from lit_rec.files.cache import options_of
from lit_rec.progress import slow_bar
from lit_rec.ranges import count, part_of_all

_TRIES = 4  # for each copy that is wanted: some are equal to another one, or to the text


@dataclass(frozen=True)
class Making:
    """What is there when variants are made.

    Args:
        seed: Seed of all draws.
        mask: The tokenizer's mask token as text; None where it has none.
        cache: The folder of all caches.
        bar: Whether a progress bar is shown where it takes long.
    """

    seed: int
    mask: str | None
    cache: Path
    bar: bool = False


class TextAugmentation(Augmentation):
    """A way to make variants of a text; they are made and tokenised once, before training.

    Args:
        rate: Share of a training step's texts in whose place a variant is read.
        copies: How many variants of each text are made, at most: each step draws one of them.

    Raises:
        ConfigError: If ``rate`` is not above 0 and up to 1, or ``copies`` is below 1.

    Example:
        >>> class Upper(TextAugmentation):
        ...     def variants(self, texts, making):
        ...         return [[text.upper()] for text in texts]
        >>> Upper(rate=0.5).variants(["Heat"], Making(0, None, Path()))
        [['HEAT']]
    """

    changes = "texts"

    def __init__(self, rate: float = 0.2, copies: int = 4) -> None:
        super().__init__(rate)
        self.copies = count(self, "copies", copies)

    @abstractmethod
    def variants(self, texts: Sequence[str], making: Making) -> list[list[str]]:
        """Return the variants of each text: a function of the seed and the text, not of the other texts.

        Args:
            texts: Distinct texts, none of them empty.
            making: The seed, and what else is there.
        """

    def fingerprint(self, making: Making) -> Any:
        """Return what the variants depend on besides the texts and the seed, as plain values."""
        options = options_of(self)
        del options["rate"]  # it says how often they are read
        return options


class WordAugmentation(TextAugmentation):
    """A way to change some of a text's words.

    A word is a run of letters and digits, or one character of Chinese or Japanese; what stands between words stays.

    Args:
        rate: Share of a training step's texts in whose place a variant is read.
        copies: How many variants of each text are made, at most.
        share: Share of a text's words that are changed, at least one word.

    Raises:
        ConfigError: If a share is not above 0 and up to 1, or ``copies`` is below 1.
    """

    def __init__(self, rate: float = 0.2, copies: int = 4, share: float = 0.1) -> None:
        super().__init__(rate, copies)
        self.share = part_of_all(self, "share", share)

    def variants(self, texts: Sequence[str], making: Making) -> list[list[str]]:
        """Return the variants of each text, different from it and from each other."""
        found = []
        with slow_bar(type(self).__name__, len(texts), shown=making.bar) as progress:
            for place, text in enumerate(texts):
                found.append(self._of(text, making))
                progress(place + 1)
        return found

    @abstractmethod
    def change(self, words: Words, rng: np.random.Generator, making: Making) -> str | None:
        """Return a text in which some words are changed; None where none can be."""

    def changed(self, words: Words) -> int:
        """Return how many words of a text are changed."""
        return max(1, round(self.share * len(words.words)))

    def _of(self, text: str, making: Making) -> list[str]:
        words = Words.of(text)
        rng = np.random.default_rng(_seed(making.seed, type(self).__name__, text))
        found: dict[str, None] = {}  # in the order in which they were drawn
        for _ in range(_TRIES * self.copies if words.words else 0):
            variant = self.change(words, rng, making)
            if variant is not None and variant.strip() and variant != text:
                found[variant] = None
            if len(found) == self.copies:
                break
        return list(found)


def _seed(seed: int, name: str, text: str) -> list[int]:
    """Return the seed of a text's draws: equal on every machine, whatever the other texts are."""
    digest = hashlib.blake2b(f"{name}\0{text}".encode(errors="surrogatepass"), digest_size=8)
    return [seed, int.from_bytes(digest.digest(), "little")]
