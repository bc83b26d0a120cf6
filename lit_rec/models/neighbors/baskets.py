"""Baskets: the items of each training user, and how often two items are in the same one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.history.windows import flat

_PAIRS = 2**22  # pairs that are counted at once: bounds the memory, not the result


@dataclass(frozen=True)
class Baskets:
    """Distinct items of users, a user's from the oldest to the newest.

    Shape:
        user, item: ``[n]`` int64; users increase. items: I.

    Example:
        >>> baskets = Baskets.of_rows(np.array([0, 0, 0, 1]), np.array([2, 1, 2, 0]), items=3)
        >>> baskets.user.tolist(), baskets.item.tolist()  # item 2 was taken again, later
        ([0, 0, 1], [1, 2, 0])
        >>> baskets.together().tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
    """

    user: Int64s
    item: Int64s
    items: int

    @classmethod
    def of_rows(cls, user: Int64s, item: Int64s, items: int) -> Baskets:
        """Make them from behaviors ``[R]``; those of a user are in the order of time."""
        key = user * items + item
        _, again = np.unique(key[::-1], return_index=True)  # the newest of each
        rows = np.sort(len(key) - 1 - again)
        rows = rows[np.argsort(user[rows], kind="stable")]
        return cls(user[rows], item[rows], items)

    @cached_property
    def counts(self) -> Int64s:
        """How many users have each item ``[I]``."""
        return np.bincount(self.item, minlength=self.items)

    def newest(self, longest: int) -> Baskets:
        """Return them with at most the newest ``longest`` items of each user."""
        _, start, count = np.unique(self.user, return_index=True, return_counts=True)
        end = np.repeat(start + count, count)
        return self._where(end - np.arange(len(end)) <= longest)

    def among(self, code: Int64s, items: int) -> Baskets:
        """Return them with other codes of the items.

        Args:
            code: ``[I]`` new codes; -1 leaves an item out.
            items: Number of new codes.
        """
        kept = self._where(code[self.item] >= 0)
        return Baskets(kept.user, code[kept.item], items)

    def together(self) -> Tensor:
        """Return how many users have both of two items ``[I, I]``; the diagonal has the counts of one."""
        table = torch.zeros(self.items * self.items)
        for left, right in self._pairs(np.arange(len(self.item))):
            one = torch.ones(len(left))
            table.index_add_(0, torch.from_numpy(left * self.items + right), one)
        return table.view(self.items, self.items)

    def companions(self, most: int) -> tuple[Tensor, Tensor]:
        """Return for each item those that it shares most users with, without the whole matrix.

        Args:
            most: K, how many companions are kept.

        Returns:
            ``[I, K]`` int32 items and ``[I, K]`` float32 users, the most first; 0 users where there are fewer.
        """
        index = np.zeros((self.items, most), np.int32)
        count = np.zeros((self.items, most), np.float32)
        by_item = np.argsort(self.item, kind="stable")
        for left, right in self._pairs(by_item, whole_items=True):
            other = left != right
            key, users = np.unique(left[other] * self.items + right[other], return_counts=True)
            item = key // self.items
            order = np.lexsort((-users, item))
            item, key, users = item[order], key[order], users[order]
            place = np.arange(len(item)) - np.searchsorted(item, item)
            kept = place < most
            index[item[kept], place[kept]] = (key % self.items)[kept]
            count[item[kept], place[kept]] = users[kept]
        return torch.from_numpy(index), torch.from_numpy(count)

    def _where(self, mask: Bools) -> Baskets:
        return Baskets(self.user[mask], self.item[mask], self.items)

    def _pairs(
        self, entries: Int64s, *, whole_items: bool = False
    ) -> Iterator[tuple[Int64s, Int64s]]:
        """Yield the pairs of each entry's item with the items of its user, some entries at a time.

        Args:
            entries: Places in ``item``.
            whole_items: The entries are sorted by item, and those of an item come at once.
        """
        _, start, of_entry, count = np.unique(
            self.user, return_index=True, return_inverse=True, return_counts=True
        )
        low = start[of_entry[entries]]
        high = low + count[of_entry[entries]]
        before = np.cumsum(high - low)
        edges = [0]
        last = np.arange(1, len(entries) + 1)
        if whole_items:
            last = np.flatnonzero(np.diff(self.item[entries], append=-1)) + 1
        while edges[-1] < len(entries):
            done = before[edges[-1] - 1] if edges[-1] else 0
            far = np.searchsorted(before, done + _PAIRS, side="right")
            at = np.searchsorted(last, far, side="right") - 1
            # at least one entry, or one item, however many pairs it has
            after = last[np.searchsorted(last, edges[-1], side="right")]
            edges.append(int(max(last[at] if at >= 0 else 0, after)))
        for begin, end in pairwise(edges):
            part = slice(begin, end)
            entry, place = flat(low[part], high[part])
            yield self.item[entries[part]][entry], self.item[place]
