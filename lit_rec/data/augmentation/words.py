"""Words: a text as its words, and what stands between them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

# Chinese and Japanese have no spaces between words: each character counts as one
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUN = rf"(?:(?![{_ALONE}])[^\W_])+"
_WORD = re.compile(rf"[{_ALONE}]|{_RUN}(?:['’-]{_RUN})*")


@dataclass(frozen=True)
class Words:
    """The words of a text, and the gaps before, between and after them.

    Args:
        words: n words.
        gaps: n + 1 texts around them.

    Example:
        >>> Words.of("Heat. Genres: Crime")
        Words(words=('Heat', 'Genres', 'Crime'), gaps=('', '. ', ': ', ''))
        >>> Words.of("don't 看书!").words
        ("don't", '看', '书')
    """

    words: tuple[str, ...]
    gaps: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Split a text."""
        found = list(_WORD.finditer(text))
        begins, ends = [0, *(f.end() for f in found)], [*(f.start() for f in found), len(text)]
        gaps = tuple(text[begin:end] for begin, end in zip(begins, ends, strict=True))
        return cls(tuple(f[0] for f in found), gaps)

    def replaced(self, words: Sequence[str]) -> str:
        """Return the text with other words in these places."""
        pieces = [self.gaps[0]]
        for word, gap in zip(words, self.gaps[1:], strict=True):
            pieces += [word, gap]
        return "".join(pieces)

    def without(self, places: Collection[int]) -> str:
        """Return the text without some words; of two gaps that meet, the one with punctuation stays.

        Example:
            >>> words = Words.of("Heat. Genres: Crime, Drama")
            >>> words.without({0}), words.without({1}), words.without({3})
            ('Genres: Crime, Drama', 'Heat: Crime, Drama', 'Heat. Genres: Crime')
        """
        text, gap = "", self.gaps[0]
        is_first = True
        for place, word in enumerate(self.words):
            after = self.gaps[place + 1]
            if place not in places:
                text, gap, is_first = text + gap + word, after, False
            elif place == len(self.words) - 1 or (not is_first and after.strip()):
                gap = after
        return text + gap
