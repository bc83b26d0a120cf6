"""ItemVectors: the vectors of a catalogue that grows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from lit_rec.errors import DataError

_PART = 8_192  # a shorter last part is copied when items are added to it


class ItemVectors:
    """Vectors by row, in parts, so that adding items does not copy the catalogue.

    Args:
        vectors: ``[I, D]``; kept as they are where they are float32, and contiguous or as ``by_column`` lays them.

    Raises:
        ValueError: If it is no matrix.
        DataError: If a vector is not finite.
    """

    def __init__(self, vectors: Tensor) -> None:
        if vectors.dim() != 2:
            raise ValueError(f"vectors have shape {tuple(vectors.shape)}, [items, width] is meant")
        self.width, self.device = vectors.shape[1], vectors.device
        lie_by_column = vectors.T.is_contiguous() and not vectors.is_contiguous()
        self._laid: Callable[[Tensor], Tensor] = by_column if lie_by_column else Tensor.contiguous
        self._parts: list[Tensor] = []
        self._size = 0
        self.longest = 0.0  # the largest norm
        self.add(vectors)

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self._size

    def add(self, vectors: Tensor) -> range:
        """Add vectors ``[n, D]`` after the last, and return their rows.

        Raises:
            ValueError: If the width is another one.
            DataError: If a vector is not finite.
        """
        if vectors.dim() != 2 or vectors.shape[1] != self.width:
            raise ValueError(
                f"vectors have shape {tuple(vectors.shape)}, [items, {self.width}] is meant"
            )
        first = self._size
        vectors = self._laid(vectors.detach().to(self.device, torch.float32))
        starts = range(0, len(vectors), _PART)
        longest = [check_finite(vectors[at : at + _PART], "item", first + at) for at in starts]
        if len(vectors) and self._parts and len(self._parts[-1]) < _PART:
            vectors = self._laid(torch.cat([self._parts.pop(), vectors]))
        if len(vectors):
            self._parts.append(vectors)
        self._size = sum(len(part) for part in self._parts)
        self.longest = max([self.longest, *longest])
        return range(first, self._size)

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
        return (total / max(self._size, 1)).float()

    def key(self) -> str:
        """Return a hash of all vectors and their order: in how many steps they were added does not count."""
        found = hashlib.sha256(f"{self._size} x {self.width}".encode())
        for _, block in self.blocks(_PART):
            found.update(block.cpu().contiguous().numpy().data)
        return found.hexdigest()


def by_column(vectors: Tensor) -> Tensor:
    """Return the same vectors ``[I, D]`` laid so that each coordinate's I numbers lie side by side; copied, if they are not so.

    A CPU multiplies them with one query sooner, for it adds to a run of scores at once. A single vector is then read from D places.

    Example:
        >>> by_column(torch.zeros(5, 3)).stride()
        (1, 5)
    """
    return vectors.T.contiguous().T


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
