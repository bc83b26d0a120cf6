"""ItemVectors: the vectors of a growing catalogue, as an immutable value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from copy import copy

import torch
from torch import Tensor

from lit_rec.errors import DataError

_PART = 8_192  # a shorter last part is copied when items are added


class ItemVectors:
    """Vectors by row, in parts; immutable. Values that are made from it share its parts.

    So adding items does not copy the catalogue, and does not affect readers.

    Args:
        vectors: ``[I, D]``; not copied if they are float32, and contiguous or in the layout of ``by_column``.

    Raises:
        ValueError: If it is not a matrix.
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
        """Return the number of rows."""
        return self._size

    def with_more(self, vectors: Tensor) -> ItemVectors:
        """Return these vectors with more ``[n, D]`` after the last.

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
        """Return copies of the vectors of some rows, which get the rows 0, 1, ..."""
        some = copy(self)
        some._parts, some._size = [self._laid(self.take(rows))] if len(rows) else [], len(rows)
        return some

    def holds(self, vectors: Tensor) -> bool:
        """Return whether this value shares the memory of vectors ``[I, D]``."""
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
        """Yield the first row of each block, and the block: at most ``size`` vectors, without a copy."""
        first = 0
        for part in self._parts:
            for start in range(0, len(part), size):
                yield first + start, part[start : start + size]
            first += len(part)

    def mean(self) -> Tensor:
        """Return the mean ``[D]`` of all vectors, 0 without vectors."""
        total = torch.zeros(self.width, dtype=torch.float64, device=self.device)
        for _, block in self.blocks(_PART):
            total += block.sum(0, dtype=torch.float64)
        return (total / max(len(self), 1)).float()

    def key(self) -> str:
        """Return a hash of all vectors in their order; it does not depend on their division into parts."""
        found = hashlib.sha256(f"{len(self)} x {self.width}".encode())
        for _, block in self.blocks(_PART):
            found.update(block.cpu().contiguous().numpy().data)
        return found.hexdigest()


def untouched(sizes: Sequence[int], added: int) -> int:
    """Return the number of parts that are not copied when rows are added.

    The other parts and the added rows are copied to one new part. These are parts that are short, or not longer than
    the added rows. So there are always few parts, whatever the number of additions.

    Args:
        sizes: Sizes of the parts.
        added: Number of added rows.

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
    """Return the vectors ``[I, D]`` in a layout in which the I numbers of each coordinate are contiguous.

    They are copied if they have another layout. A CPU multiplies them faster with one query, but reads a single vector
    from D places.

    Example:
        >>> by_column(torch.zeros(5, 3)).stride()
        (1, 5)
    """
    return vectors.T.contiguous().T


def _longest(vectors: Tensor, first: int) -> float:
    """Return the largest norm of vectors, of which the first has row ``first``; in parts, to limit the memory."""
    starts = range(0, len(vectors), _PART)
    found = [check_finite(vectors[at : at + _PART], "item", first + at) for at in starts]
    return max(found, default=0.0)


def check_finite(vectors: Tensor, name: str, first: int = 0) -> float:
    """Return the largest norm of vectors ``[n, D]``, 0 without vectors.

    Args:
        vectors: The vectors.
        name: What a vector belongs to, for the error.
        first: Row of the first vector.

    Raises:
        DataError: If a vector is not finite.
    """
    norms = torch.linalg.vector_norm(vectors.float(), dim=1)
    wrong = (~norms.isfinite()).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"the vector of {name} {first + row} has length {norms[row].item()}",
            where="index",
            rule="finite numbers",
            remedy="train with a lower rate, or use an earlier checkpoint",
        )
    return float(norms.max()) if len(norms) else 0.0
