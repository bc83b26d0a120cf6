"""DistinctWords: the word vectors of a batch, looked up once for all passes of its texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class DistinctWords:
    """The vectors of some words, which can replace the encoder's lookup of words for a time.

    The gradient of a lookup has a row for every word of the vocabulary. Each pass of the encoder would fill such a
    gradient and add it up: 46 MB each for 30,000 words of 384. So words are looked up once for all passes, and each
    pass takes them from these few vectors.

    Args:
        lookup: The encoder's lookup of words; its output for a word may depend on nothing else.
        words: Ids of all words that passes will look up; repeated ids are fine.

    Example:
        >>> lookup = nn.Embedding(1000, 2)
        >>> words = DistinctWords(lookup, torch.tensor([7, 3, 7]))
        >>> with words.replaced():
        ...     found = lookup(torch.tensor([[3, 7]]))
        >>> bool((found == lookup(torch.tensor([[3, 7]]))).all())
        True
    """

    def __init__(self, lookup: nn.Module, words: Tensor) -> None:
        self._lookup = lookup
        self._words = torch.unique(words)
        self._vectors: Tensor = lookup(self._words)

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Let the lookup take its words from these vectors within a ``with`` block."""
        self._lookup.forward = self._found
        try:
            yield
        finally:
            del self._lookup.forward

    def _found(self, ids: Tensor) -> Tensor:
        return nn.functional.embedding(torch.searchsorted(self._words, ids), self._vectors)
