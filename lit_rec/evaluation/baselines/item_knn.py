"""item_knn: the user's ratings of the items that others rated alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lit_rec.data.arrays import Bools, Float32s, Float64s, Int64s
from lit_rec.data.history.windows import flat
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial
from lit_rec.evaluation.baselines.neighbours import NeighboursBaseline, residuals

_SHRINKAGES = (
    10.0,
    0.0,
    30.0,
)  # of similarities; the first where there are too few rows to hold any out
_PAIRS = 200_000_000  # pairs of ratings by one user that are summed at most
_BLOCK = 4_000_000  # of them at once: bounds the memory, not the result
_STORED = 50_000_000  # similarities that are stored at most


class ItemKnnBaseline(NeighboursBaseline):
    """Mean + biases + the user's residuals for items that others rated alike.

    Items i and j are similar by the shrunk cosine of their residuals: ``sum_u r_ui r_uj / (|r_i| |r_j| + c)``, the sum
    over users who rated both, the norms over all who rated one. The user is known by the row's own history.

    Similarities are summed over all pairs of a user's ratings. Where these are more than ``pairs``, users with the most
    ratings count by a sample of them. Of each item at most ``stored / I`` similarities are stored, the largest, but
    never fewer than 50. ``chosen`` says so where it happens.

    Args:
        trial: The options are those by which its rest predicts its held-out rows best.
        pairs: Most pairs of ratings that are summed.
        stored: Most similarities that are stored.

    Reference:
        Sarwar et al. 2001, Item-based collaborative filtering, https://doi.org/10.1145/371920.372071 (the adjusted
        cosine). Koren 2010, Factor in the neighbors, https://doi.org/10.1145/1644873.1644874, section 2.2.

    Example:
        >>> user, item = np.array([0, 0, 0, 1, 1, 1, 2, 2]), np.array([0, 1, 2, 0, 1, 2, 0, 2])
        >>> train = RatingRows(user, item, rating=np.array([5.0, 5.0, 1.0, 1.0, 1.0, 5.0, 5.0, 1.0]))
        >>> baseline = ItemKnnBaseline()
        >>> baseline.fit(train, num_users=3, num_items=3)
        >>> seen = RaggedHistory(np.array([0, 1, 2]), item=np.array([0, 0]), rating=np.array([5.0, 5.0]))
        >>> baseline.similarity(np.array([1, 2]), seen).round(2).tolist()  # items 1 and 2, each to item 0
        [0.35, 0.0]
    """

    name = "item_knn"

    def __init__(
        self, trial: RatingTrial | None = None, pairs: int = _PAIRS, stored: int = _STORED
    ) -> None:
        super().__init__(trial)
        self.pairs, self.stored = pairs, stored
        self.similarity_shrinkage = _SHRINKAGES[0]

    def learn(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Fit the biases, and sum what pairs of items have in common."""
        super().learn(train, num_users, num_items)
        counts = np.bincount(train.user, minlength=num_users)
        self.most_of_user = longest_within(counts, self.pairs)
        self.most_of_item = max(self.stored // num_items, 50)
        drawn = np.random.default_rng(0).permutation(len(train.user))
        kept = np.zeros(len(drawn), bool)
        kept[drawn] = first_of_each(train.user[drawn], self.most_of_user)
        rows, residual = train.where(kept), residuals(self, train)[kept]
        self.norm = np.sqrt(np.bincount(rows.item, residual**2, minlength=num_items))
        found = list(self._products(rows, residual, num_items))
        self.pair = np.concatenate([np.empty(0, np.int64), *(pair for pair, _ in found)])
        self.product = np.concatenate([np.empty(0, np.float32), *(of for _, of in found)])
        self.is_cut = self.most_of_user < counts.max(initial=0)

    def choose(self, trial: RatingTrial) -> None:
        """Choose the shrinkage of the similarities as well."""
        super().choose(trial)
        errors = {}
        for self.similarity_shrinkage in _SHRINKAGES:
            errors[self.similarity_shrinkage] = self.choose_neighbourhood(trial)
        self.similarity_shrinkage = min(errors, key=errors.__getitem__)
        self.choose_neighbourhood(trial)

    def similarity(self, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return the shrunk cosines ``[S]``."""
        wanted = item[history.row]
        product = np.zeros(len(wanted))
        if len(self.pair):
            pair = wanted * len(self.norm) + history.item
            place = np.searchsorted(self.pair, pair).clip(max=len(self.pair) - 1)
            product = np.where(self.pair[place] == pair, self.product[place], 0.0)
        size = self.norm[wanted] * self.norm[history.item] + self.similarity_shrinkage
        return product / np.where(size > 0, size, 1.0)

    def chosen(self) -> dict[str, Any]:
        """Return the options, and what was left out."""
        found = super().chosen() | {"similarity_shrinkage": self.similarity_shrinkage}
        if self.is_cut:
            found["ratings_of_a_user_at_most"] = self.most_of_user
        if self.most_of_item < len(self.norm):
            found["similar_items_at_most"] = self.most_of_item
        return found

    def _products(
        self, rows: RatingRows, residual: Float64s, num_items: int
    ) -> Iterator[tuple[Int64s, Float32s]]:
        """Yield ``i * I + j``, increasing, and the sum over users of the products of i and j where it is above 0."""
        by_user, by_item = (np.argsort(of, kind="stable") for of in (rows.user, rows.item))
        counts = np.bincount(rows.user)
        begin = np.cumsum(counts) - counts
        width = counts[rows.user[by_item]]  # the pairs of each row, the rows in the order of items
        # a block ends where an item ends
        ends = np.flatnonzero(np.diff(rows.item[by_item], append=-1)) + 1
        pairs = np.cumsum(width)[ends - 1]
        cuts = np.flatnonzero(np.diff(pairs // _BLOCK, append=-1))
        start = 0
        for end in ends[cuts]:
            one = by_item[start:end]
            place, other = flat(begin[rows.user[one]], begin[rows.user[one]] + width[start:end])
            other = by_user[other]
            first = rows.item[one[0]]
            code = (rows.item[one][place] - first) * num_items + rows.item[other]
            code, total = sums(code, residual[one][place] * residual[other])
            kept = total > 0
            code, total = code[kept] + first * num_items, total[kept]
            if self.most_of_item < num_items:  # the largest cosines of each item
                order = np.lexsort((-total / self.norm[code % num_items], code // num_items))
                order = order[first_of_each(code[order] // num_items - first, self.most_of_item)]
                code, total = code[np.sort(order)], total[np.sort(order)]
            yield code, total.astype(np.float32)
            start = end


def sums(code: Int64s, value: Float64s) -> tuple[Int64s, Float64s]:
    """Return the distinct codes, increasing, and the sum of the values of each.

    Example:
        >>> code, total = sums(np.array([7, 3, 7]), np.array([1.0, 2.0, 3.0]))
        >>> code.tolist(), total.tolist()
        ([3, 7], [2.0, 4.0])
    """
    size = int(code.max(initial=-1)) + 1
    if size <= 8 * len(code):  # counting is faster than sorting, where it needs no more memory
        there = np.flatnonzero(np.bincount(code, minlength=size)).astype(np.int64)
        counted = np.bincount(code, value, minlength=size).astype(np.float64, copy=False)
        return there, counted[there]
    distinct, place = np.unique(code, return_inverse=True)
    total = np.bincount(place, value, minlength=len(distinct)).astype(np.float64, copy=False)
    return distinct.astype(np.int64), total


def first_of_each(group: Int64s, most: int) -> Bools:
    """Return a mask of the first ``most`` rows of each group.

    Example:
        >>> first_of_each(np.array([4, 9, 4, 4]), 2).tolist()
        [True, True, True, False]
    """
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group)
    place = np.arange(len(group)) - (np.cumsum(counts) - counts)[group[order]]
    mask = np.zeros(len(group), bool)
    mask[order[place < most]] = True
    return mask


def longest_within(counts: Int64s, pairs: int) -> int:
    """Return the largest L for which ``sum min(count, L)^2`` is at most ``pairs``, but at least 1.

    Example:
        >>> longest_within(np.array([10, 3]), 109), longest_within(np.array([10, 3]), 108)
        (10, 9)
    """
    low, high = 1, max(int(counts.max(initial=1)), 1)
    while low < high:
        middle = (low + high + 1) // 2
        within = int(np.sum(np.minimum(counts, middle).astype(np.int64) ** 2)) <= pairs
        low, high = (middle, high) if within else (low, middle - 1)
    return low
