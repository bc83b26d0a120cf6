"""CachedTexts: vectors of texts by the frozen part of an encoder, each computed once in a run."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lit_rec.data.batches.batch import TextChunk, Texts


class CachedTexts:
    """Cache rows of each text of a store in memory: its vector, or the vectors of its tokens.

    The cache is exact: it depends on nothing that is trained, and is computed in float32 as in evaluation, whatever the
    precision of a step. Each process holds what it computed or was given, and waits for no other here.

    Args:
        width: Width of a row.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._stores: dict[str, _Rows] = {}

    def clear(self) -> None:
        """Forget all: the encoder has other weights now."""
        self._stores = {}

    def begin(self, store: str, rows: int, device: torch.device) -> None:
        """Forget a store, and make room for this number of rows."""
        self._stores[store] = _Rows(self._width, rows, device)

    def add(self, store: str, number: Tensor, lengths: Tensor, rows: Tensor) -> None:
        """Add ``lengths`` ``[P]`` rows, end to end, for each of a store's texts ``number`` ``[P]`` not cached yet."""
        if store not in self._stores:
            self.begin(store, len(rows), rows.device)
        self._stores[store].add(number, lengths, rows)

    def knows(self, texts: Texts) -> bool:
        """Return whether all of these texts are cached."""
        return texts.store in self._stores and bool((self._first(texts) >= 0).all())

    @torch.no_grad()
    def vectors(self, texts: Texts, encode: Callable[[Texts], Tensor]) -> Tensor:
        """Return a row of each text ``[P, width]``.

        Args:
            texts: Texts of a store.
            encode: Gives the vectors of texts that are not cached yet.

        Raises:
            ValueError: If the texts have no numbers or no store.
        """
        number, store = texts.number, texts.store
        if number is None or store is None:
            raise ValueError("texts without a store cannot be cached")
        new = self._first(texts) < 0
        if new.any() or store not in self._stores:
            with torch.autocast(new.device.type, enabled=False):
                found = encode(texts.where(new))
            self.add(store, number[new], torch.ones_like(number[new]), found)
        return self._stores[store].at(self._first(texts))

    def states(self, texts: Texts, chunk: TextChunk) -> Tensor:
        """Return the rows of a chunk of cached texts, one for each token, ``[P', T, width]``; zeros in padding."""
        first = self._first(texts)[chunk.text_index].unsqueeze(1)  # [P', 1]
        place = torch.arange(chunk.mask.shape[1], device=first.device)  # [T]
        return self._stores[str(texts.store)].at(torch.where(chunk.mask, first + place, -1))

    def _first(self, texts: Texts) -> Tensor:
        """Return the first row of each text ``[P]``, -1 where it is not cached."""
        number = texts.number
        if number is None or texts.store not in self._stores:
            return texts.offsets.new_full((len(texts),), -1)
        return self._stores[texts.store].on(number.device).first_of(number)


class _Rows:
    """Rows of the texts of one store, in the order they were added; the last row is zeros."""

    def __init__(self, width: int, rows: int, device: torch.device) -> None:
        self._rows = torch.zeros(rows + 1, width, device=device)
        self._used = 0
        self._first = torch.full((0,), -1, device=device)  # by text, -1: not cached

    def on(self, device: torch.device) -> _Rows:
        self._rows, self._first = self._rows.to(device), self._first.to(device)
        return self

    def first_of(self, number: Tensor) -> Tensor:
        self._first = _longer(self._first, number, -1)
        return self._first[number]

    def at(self, rows: Tensor) -> Tensor:
        return self._rows[rows]

    def add(self, number: Tensor, lengths: Tensor, rows: Tensor) -> None:
        used = self._used + len(rows)
        if used >= len(self._rows):
            more = max(used + 1, 2 * len(self._rows)) - len(self._rows)
            self._rows = torch.cat([self._rows, self._rows.new_zeros(more, self._rows.shape[1])])
        self._rows[self._used : used] = rows
        self._first = _longer(self._first, number, -1)
        self._first[number] = self._used + lengths.cumsum(0) - lengths
        self._used = used


def _longer(values: Tensor, number: Tensor, fill: int) -> Tensor:
    """Return values with a place for each number."""
    size = int(number.max()) + 1 if len(number) else 0
    if size <= len(values):
        return values
    return torch.cat([values, values.new_full((max(size, 2 * len(values)) - len(values),), fill)])
