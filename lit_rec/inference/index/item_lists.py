"""ItemLists: inverted lists of items of similar direction, by faiss; a search reads some of them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from math import ceil
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from lit_rec.errors import ConfigError
from lit_rec.inference.index.item_vectors import ItemVectors

_SAMPLE = 40  # vectors per list for k-means
_BLOCK = 65_536
_ONE_BIT = 256  # width; for narrower vectors, 8 bits per coordinate are as fast


@dataclass(frozen=True)
class Reading:
    """The part of the lists that a search reads.

    Args:
        share: Share of the lists.
        least_read: Smallest number of items that are read, in whole lists: in a small catalogue, the best items are
            spread over a larger share of the lists.

    Raises:
        ValueError: If one is out of range.
    """

    share: float = 0.0625
    least_read: int = 32_768

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}, above 0 and 1 at most is meant")
        if self.least_read < 1:
            raise ValueError(f"least_read is {self.least_read}, 1 or more is meant")

    def lists(self, count: int, items: int) -> int:
        """Return the number of lists to read, of ``count`` lists with ``items`` items.

        Example:
            >>> Reading(0.1, 300).lists(10, items=10_000), Reading(0.1, 300).lists(10, items=600)
            (1, 5)
        """
        part = max(self.share, self.least_read / max(items, 1))
        return min(ceil(part * count), count)


class ItemLists:
    """Lists of items of similar direction (k-means); immutable.

    Each item has 8 bits per coordinate, or one bit (RaBitQ) for a width of 256 or more. A change is made on a copy,
    because many threads may search faiss lists, but not while items are added or removed. A copy has no vectors. For a
    million items of 128 coordinates it takes 136 MB and less than a tenth of a second.

    One bit per coordinate is more accurate for wider vectors. Vectors in the lists are centred, so that their common
    part does not count. They are also rotated, because a coordinate with a large variance, such as a bias, would
    need more than one bit.

    Args:
        centre: ``[D]``, subtracted from the vectors.
        rotation: ``[D, D]``, by which the centred vectors are multiplied.
        lists: The index of faiss.
        reading: The part of the lists that a search reads.
    """

    def __init__(self, centre: Tensor, rotation: Tensor, lists: Any, reading: Reading) -> None:
        self.centre, self.rotation = centre, rotation
        self._lists, self._reading = lists, reading
        # an attribute of the faiss index, so it is set before any search
        lists.nprobe = reading.lists(lists.nlist, lists.ntotal)

    @classmethod
    def of(cls, vectors: ItemVectors, count: int, reading: Reading) -> Self:
        """Build ``count`` lists of all these vectors."""
        faiss, width = needed_faiss(), vectors.width
        form = "RaBitQfs" if width >= _ONE_BIT else "SQ8"
        lists = faiss.index_factory(width, f"IVF{count},{form}", faiss.METRIC_INNER_PRODUCT)
        lists.cp.min_points_per_centroid = 1  # otherwise faiss warns of few vectors
        lists.cp.max_points_per_centroid = _SAMPLE
        chance = torch.Generator().manual_seed(0)
        rotation = torch.linalg.qr(torch.randn(width, width, generator=chance)).Q
        made = cls(vectors.mean().cpu(), rotation, lists, reading)
        some = torch.randperm(len(vectors), generator=chance)[: _SAMPLE * count]
        lists.train(made._turned(vectors.take(some)))
        return made._with(lists, vectors, 0)

    def with_items(self, vectors: ItemVectors, first: int) -> Self:
        """Return the lists with the items from row ``first`` on, each in its nearest list."""
        return self._with(needed_faiss().clone_index(self._lists), vectors, first)

    def without(self, rows: Tensor) -> Self:
        """Return the lists without some items."""
        if not len(rows):
            return self
        lists = needed_faiss().clone_index(self._lists)
        lists.remove_ids(rows.cpu().numpy())
        return type(self)(self.centre, self.rotation, lists, self._reading)

    def renumbered(self, remaining: Tensor, size: int) -> Self:
        """Return the lists with new rows: the i-th of ``remaining`` becomes row i.

        Args:
            remaining: The rows in the lists, sorted.
            size: Number of rows before.
        """
        faiss = needed_faiss()
        lists = faiss.clone_index(self._lists)
        rows = np.zeros(size, np.int64)
        rows[remaining.numpy()] = np.arange(len(remaining))
        for number in range(lists.nlist):
            if count := lists.invlists.list_size(number):
                # memory of the clone, which no search reads yet
                ids = faiss.rev_swig_ptr(lists.invlists.get_ids(number), count)
                ids[:] = rows[ids]
        return type(self)(self.centre, self.rotation, lists, self._reading)

    def _with(self, lists: Any, vectors: ItemVectors, first: int) -> Self:
        for start, block in vectors.blocks(_BLOCK):
            rows = np.arange(max(start, first), start + len(block))
            if len(rows):
                lists.add_with_ids(self._turned(block[rows[0] - start :]), rows)
        return type(self)(self.centre, self.rotation, lists, self._reading)

    def nearest(self, queries: Tensor, count: int) -> Tensor:
        """Return candidate rows ``[b, count]`` from the lists that were read, -1 if there were fewer.

        Args:
            queries: ``[b, D]``.
            count: Number of rows for each query, those with the largest approximate inner products.
        """
        unit = queries / queries.norm(dim=1, keepdim=True).clamp(min=1e-30)
        return torch.from_numpy(self._lists.search((unit.cpu() @ self.rotation).numpy(), count)[1])

    def written(self) -> Tensor:
        """Return the lists as faiss serializes them, uint8."""
        return torch.from_numpy(needed_faiss().serialize_index(self._lists))

    def _turned(self, vectors: Tensor) -> np.ndarray:
        return ((vectors.cpu() - self.centre) @ self.rotation).numpy()


def needed_faiss() -> Any:
    """Return faiss.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise ConfigError(
            f"faiss cannot be imported ({error})",
            where="ApproximateIndex",
            rule="an approximate index needs the optional package faiss-cpu",
            remedy="pip install faiss-cpu, or use the exact index: leave the option out",
        ) from error
