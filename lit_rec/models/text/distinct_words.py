"""DistinctWords: the word vectors of a batch, looked up once for all passes of its texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class DistinctWords:
    """The vectors of some words, which stand in the place of their lookup for a while.

    The gradient of a lookup has a row for every word that there is, and each pass of the encoder would fill one and add
    it up: 46 MB each for 30,000 words of 384. So there is one lookup for all passes, and theirs are among these few
    vectors.

    Args:
        lookup: The encoder's lookup of words; what it returns of a word may depend on nothing else.
        words: Numbers of all words that are going to be looked up, some perhaps more than once.

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
        """Have the lookup find its words among these for a while."""
        self._lookup.forward = self._found
        try:
            yield
        finally:
            del self._lookup.forward

    def _found(self, ids: Tensor) -> Tensor:
        return nn.functional.embedding(torch.searchsorted(self._words, ids), self._vectors)
