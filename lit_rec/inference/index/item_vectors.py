"""ItemVectors: the vectors of a catalogue that grows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from copy import copy

import torch
from torch import Tensor

from lit_rec.errors import DataError

_PART = 8_192  # rows up to which a last part is copied when items are added to it


class ItemVectors:
    """Vectors by row, in parts: a value, which shares its parts with those that are made from it.

    So adding items does not copy the catalogue, and whoever reads is not disturbed by it.

    Args:
        vectors: ``[I, D]``; kept as they are where they are float32, and contiguous or as ``by_column`` lays them.

    Raises:
        ValueError: If it is no matrix.
        DataError: If a vector is not finite.

    Example:
        >>> few = ItemVectors(torch.ones(2, 3))
        >>> more = few.with_more(torch.zeros(1, 3))
        >>> len(few), len(more), len(more.only(torch.tensor([2])))
        (2, 3, 1)
    """

    def __init__(self, vectors: Tensor) -> None:
        if vectors.dim() != 2:
            raise ValueError(f"vectors have shape {tuple(vectors.shape)}, [items, width] is meant")
        self.width, self.device = vectors.shape[1], vectors.device
        self._lie_by_column = vectors.T.is_contiguous() and not vectors.is_contiguous()
        vectors = self._laid(vectors)
        self.longest = _longest(vectors, 0)  # the largest norm
        self._parts, self._size = [vectors] if len(vectors) else [], len(vectors)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self._size

    def with_more(self, vectors: Tensor) -> ItemVectors:
        """Return these vectors and others ``[n, D]`` after the last.

        Raises:
            ValueError: If the width is another one.
            DataError: If a vector is not finite.
        """
        if vectors.dim() != 2 or vectors.shape[1] != self.width:
            raise ValueError(
                f"vectors have shape {tuple(vectors.shape)}, [items, {self.width}] is meant"
            )
        more = copy(self)
        if len(vectors):
            vectors = self._laid(vectors)
            more.longest = max(self.longest, _longest(vectors, len(self)))
            before = untouched([len(part) for part in self._parts], len(vectors))
            together = torch.cat([*self._parts[before:], vectors])
            more._parts = [*self._parts[:before], self._laid(together)]
            more._size = sum(len(part) for part in more._parts)
        return more

    def only(self, rows: Tensor) -> ItemVectors:
        """Return the vectors of some rows, each copied: they have the rows 0, 1, ... there."""
        some = copy(self)
        some._parts, some._size = [self._laid(self.take(rows))] if len(rows) else [], len(rows)
        return some

    def holds(self, vectors: Tensor) -> bool:
        """Return whether these are vectors ``[I, D]`` themselves, not copies of them."""
        if len(self._parts) != 1:
            return False
        (part,) = self._parts
        return part.data_ptr() == vectors.data_ptr() and part.shape == vectors.shape

    def _laid(self, vectors: Tensor) -> Tensor:
        vectors = vectors.detach().to(self.device, torch.float32)
        return by_column(vectors) if self._lie_by_column else vectors.contiguous()

    def take(self, rows: Tensor) -> Tensor:
        """Return the vectors of ``rows`` of any shape, ``[*shape, D]``."""
        rows = rows.to(self.device)
        if len(self._parts) == 1:
            return self._parts[0][rows]
        out = torch.empty(*rows.shape, self.width, device=self.device)
        first = 0
        for part in self._parts:
            inside = (rows >= first) & (rows < first + len(part))
            out[inside] = part[rows[inside] - first]
            first += len(part)
        return out

    def blocks(self, size: int) -> Iterator[tuple[int, Tensor]]:
        """Yield the first row of each block, and the block: ``size`` vectors at most, none of them copied."""
        first = 0
        for part in self._parts:
            for start in range(0, len(part), size):
                yield first + start, part[start : start + size]
            first += len(part)

    def mean(self) -> Tensor:
        """Return the mean ``[D]`` of all vectors, 0 of none."""
        total = torch.zeros(self.width, dtype=torch.float64, device=self.device)
        for _, block in self.blocks(_PART):
            total += block.sum(0, dtype=torch.float64)
        return (total / max(len(self), 1)).float()

    def key(self) -> str:
        """Return a hash of all vectors and their order: in how many steps they were added does not count."""
        found = hashlib.sha256(f"{len(self)} x {self.width}".encode())
        for _, block in self.blocks(_PART):
            found.update(block.cpu().contiguous().numpy().data)
        return found.hexdigest()


def untouched(sizes: Sequence[int], added: int) -> int:
    """Return how many of the parts of these sizes stay as they are when others are added.

    The rest of the parts and what is added become one part. A part that is added to is copied, so only short ones are,
    and those that are not longer than what comes. Then there are few parts, however many items come in however many
    steps.

    Args:
        sizes: Sizes of the parts.
        added: How many are added.

    Example:
        >>> untouched([1_000_000, 5_000], 1), untouched([1_000_000, 20_000], 1), untouched([1_000_000, 20_000], 30_000)
        (1, 2, 1)
    """
    count = len(sizes)
    while count and sizes[count - 1] < max(_PART, added + 1):
        count -= 1
        added += sizes[count]
    return count


def by_column(vectors: Tensor) -> Tensor:
    """Return the same vectors ``[I, D]`` laid so that each coordinate's I numbers lie side by side.

    They are copied if they are not laid so. A CPU multiplies them with one query sooner, for it adds to a run of scores
    at once. A single vector is then read from D places.

    Example:
        >>> by_column(torch.zeros(5, 3)).stride()
        (1, 5)
    """
    return vectors.T.contiguous().T


def _longest(vectors: Tensor, first: int) -> float:
    """Return the largest norm of vectors whose rows begin with ``first``, a part at a time.

    The norms of all at once would need memory too.
    """
    starts = range(0, len(vectors), _PART)
    found = [check_finite(vectors[at : at + _PART], "item", first + at) for at in starts]
    return max(found, default=0.0)


def check_finite(vectors: Tensor, name: str, first: int = 0) -> float:
    """Return the largest norm of vectors ``[n, D]``, 0 of none.

    Args:
        vectors: The vectors.
        name: What each is, for the error.
        first: Number of the first.

    Raises:
        DataError: If a vector is not finite.
    """
    norms = torch.linalg.vector_norm(vectors.float(), dim=1)
    wrong = (~norms.isfinite()).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"the vector of {name} {first + row} is {norms[row].item()} long",
            where="index",
            rule="finite numbers",
            remedy="train with a lower rate, or use an earlier checkpoint",
        )
    return float(norms.max()) if len(norms) else 0.0
