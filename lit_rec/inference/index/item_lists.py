"""ItemLists: the items of a catalogue by direction, in lists that faiss reads a part of."""

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

_SAMPLE = 40  # vectors of each list that the middles of lists are found with
_BLOCK = 65_536
_ONE_BIT = 256  # of narrower vectors, 8 bits a coordinate are read as fast


@dataclass(frozen=True)
class Reading:
    """How much of the lists a search reads.

    Args:
        share: Of the lists.
        least_read: Items, in whole lists, that are read however small the share: of few items, the best lie in more of
            the lists.

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
        """Return how many of ``count`` lists with these items are read.

        Example:
            >>> Reading(0.1, 300).lists(10, items=10_000), Reading(0.1, 300).lists(10, items=600)
            (1, 5)
        """
        part = max(self.share, self.least_read / max(items, 1))
        return min(ceil(part * count), count)


class ItemLists:
    """Lists of items of similar direction (k-means): a value.

    Each item has 8 bits a coordinate, or one bit (RaBitQ) from a width of 256 on. What changes them changes a copy, for
    faiss may be searched by many threads, but not while something is added or removed. A copy has no vectors: of a
    million items of 128 coordinates it is 136 MB, which takes less than a tenth of a second.

    The wider a vector, the less one bit of each coordinate errs. What lies in the lists is moved, so that what all
    items have in common orders no list, and turned, for a coordinate that differs more than others, such as a bias,
    would need more than a bit.

    Args:
        centre: ``[D]``, what is taken from the vectors.
        rotation: ``[D, D]``, what they are multiplied by then.
        lists: As faiss has them.
        reading: How much of them a search reads.
    """

    def __init__(self, centre: Tensor, rotation: Tensor, lists: Any, reading: Reading) -> None:
        self.centre, self.rotation = centre, rotation
        self._lists, self._reading = lists, reading
        # faiss reads it from the lists, so it is set before any search
        lists.nprobe = reading.lists(lists.nlist, lists.ntotal)

    @classmethod
    def of(cls, vectors: ItemVectors, count: int, reading: Reading) -> Self:
        """Make ``count`` lists of some vectors, with all of them in."""
        faiss, width = needed_faiss(), vectors.width
        form = "RaBitQfs" if width >= _ONE_BIT else "SQ8"
        lists = faiss.index_factory(width, f"IVF{count},{form}", faiss.METRIC_INNER_PRODUCT)
        lists.cp.min_points_per_centroid = 1  # or it warns of few
        lists.cp.max_points_per_centroid = _SAMPLE
        chance = torch.Generator().manual_seed(0)
        rotation = torch.linalg.qr(torch.randn(width, width, generator=chance)).Q
        made = cls(vectors.mean().cpu(), rotation, lists, reading)
        some = torch.randperm(len(vectors), generator=chance)[: _SAMPLE * count]
        lists.train(made._turned(vectors.take(some)))
        return made._with(lists, vectors, 0)

    def with_items(self, vectors: ItemVectors, first: int) -> Self:
        """Return the lists with the items from row ``first`` on, each in the list that is nearest."""
        return self._with(needed_faiss().clone_index(self._lists), vectors, first)

    def without(self, rows: Tensor) -> Self:
        """Return the lists without some items."""
        if not len(rows):
            return self
        lists = needed_faiss().clone_index(self._lists)
        lists.remove_ids(rows.cpu().numpy())
        return type(self)(self.centre, self.rotation, lists, self._reading)

    def renumbered(self, kept: Tensor, size: int) -> Self:
        """Return the lists, of some rows alone, with their places among these as rows.

        Args:
            kept: The rows, sorted.
            size: How many rows there were.
        """
        faiss = needed_faiss()
        lists = faiss.clone_index(self._lists)
        rows = np.zeros(size, np.int64)
        rows[kept.numpy()] = np.arange(len(kept))
        for number in range(lists.nlist):
            if count := lists.invlists.list_size(number):
                # the clone's own memory, which nobody reads yet
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
        """Return rows ``[b, count]`` that stand in the lists that were read, -1 where there were fewer.

        Args:
            queries: ``[b, D]``.
            count: Of each query, those with the largest inner products as the bits have them.
        """
        unit = queries / queries.norm(dim=1, keepdim=True).clamp(min=1e-30)
        return torch.from_numpy(self._lists.search((unit.cpu() @ self.rotation).numpy(), count)[1])

    def written(self) -> Tensor:
        """Return what faiss reads, uint8."""
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
            rule="an approximate index needs the package faiss-cpu, which lit_rec does without otherwise",
            remedy="pip install 'lit_rec[index]', or use the exact index",
        ) from error
