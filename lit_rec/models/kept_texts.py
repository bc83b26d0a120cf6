"""KeptTexts: vectors of texts by an encoder that is not trained, each computed once in a run."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lit_rec.data.batches import Texts


class KeptTexts:
    """Keep the vector of each text of a store, and compute those that are asked for first.

    Exact: nothing that changes while training is in them, and they are computed in float32, as evaluation has them, whatever the
    precision of a step. Each process knows what it computed or was given, and no process waits for another here.

    Args:
        width: Width of a vector.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._stores: dict[str, tuple[Tensor, Tensor]] = {}

    def clear(self) -> None:
        """Forget all, for the encoder has other weights."""
        self._stores = {}

    @torch.no_grad()
    def vectors(self, texts: Texts, encode: Callable[[Texts], Tensor]) -> Tensor:
        """Return the vectors of the texts ``[P, width]``.

        Args:
            texts: Texts of a store.
            encode: Gives the vectors of those that are not there yet.

        Raises:
            ValueError: If it is not known which texts of which store these are.
        """
        number = texts.number
        if number is None or texts.store is None:
            raise ValueError("texts without a store cannot be kept")
        vectors, known = self._room(texts.store, number)
        new = ~known[number]
        if new.any():
            with torch.autocast(number.device.type, enabled=False):
                vectors[number[new]] = encode(texts.where(new))
            known[number[new]] = True
        return vectors[number]

    def fill(self, store: str, number: Tensor, vectors: Tensor) -> None:
        """Keep the vectors ``[P, width]`` of a store's texts ``number`` ``[P]``, and of that store no others."""
        self._stores.pop(store, None)
        room, known = self._room(store, number)
        room[number], known[number] = vectors, True

    def _room(self, store: str, number: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors and whether they are known, with room for ``number``, on its device."""
        size = int(number.max()) + 1 if len(number) else 0
        none = torch.zeros(0, self._width), torch.zeros(0, dtype=torch.bool)
        vectors, known = (part.to(number.device) for part in self._stores.get(store, none))
        if len(known) < size:
            more = max(size, 2 * len(known)) - len(known)
            vectors = torch.cat([vectors, vectors.new_zeros(more, self._width)])
            known = torch.cat([known, known.new_zeros(more)])
        self._stores[store] = vectors, known
        return vectors, known
