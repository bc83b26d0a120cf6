"""ExactIndex: the best items by comparing a query with all of them, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from lit_rec.inference.index.best_columns import best_columns, merged, ordered
from lit_rec.inference.index.catalogue_rows import Rows, distinct_rows, sorted_distinct
from lit_rec.inference.index.item_index import Found, ItemIndex, Rescore
from lit_rec.inference.index.item_vectors import ItemVectors, check_finite
from lit_rec.inference.index.search_space import SearchSpace

_WIDER = 8  # times as many candidates where they were too few
_NUMBERS = 1 << 22  # of item vectors that are multiplied one by one at once


class ExactIndex(ItemIndex):
    """Compare each query with all vectors, a block of queries and of items at a time.

    A matrix product rounds by the shape of its block, so it only chooses candidates: somewhat more than k, whose scores are then summed
    alike, one item like another. Where what was left out comes as near as rounding reaches, more are chosen. So equal vectors have equal
    scores wherever they stand, and on the CPU a query's list does not depend on the queries beside it.

    Args:
        vectors: ``[I, D]``; kept, not copied, where they are float32, and contiguous or as ``by_column`` lays them, which answers
            one query at a time sooner on a CPU. The index computes where they are.
        block_items: Items of a block, for as many queries as ``block_queries``; fewer queries take more items at once.
        block_queries: Queries of a block. A search holds ``block_queries * block_items`` scores at once.

    Raises:
        ValueError: If ``vectors`` is no matrix, or a block is empty.
        DataError: If a vector is not finite.

    Example:
        >>> index = ExactIndex(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
        >>> index.search(torch.tensor([[2.0, 1.0]]), 2, seen=[[0]])
        Found(rows=tensor([[2, 1]]), scores=tensor([[2., 1.]]))
    """

    def __init__(
        self, vectors: Tensor, block_items: int = 32_768, block_queries: int = 128
    ) -> None:
        if block_items < 1 or block_queries < 1:
            raise ValueError(f"blocks of {block_items} items and {block_queries} queries are empty")
        self.vectors = ItemVectors(vectors)
        self.removed = torch.empty(0, dtype=torch.int64)
        self._block_items, self._block_queries = block_items, block_queries

    def __len__(self) -> int:
        """Return how many items can be found."""
        return len(self.vectors) - len(self.removed)

    def add_items(self, vectors: Tensor) -> range:
        """Add items after the last: see ``ItemIndex``."""
        return self.vectors.add(vectors)

    def remove_items(self, rows: Rows) -> None:
        """Never find these rows again: see ``ItemIndex``."""
        gone = distinct_rows(rows, len(self.vectors), "rows")
        self.removed = sorted_distinct(torch.cat([self.removed, gone]))

    @torch.no_grad()
    def search(
        self,
        queries: Tensor,
        k: int,
        *,
        seen: Sequence[Rows] | None = None,
        allow: Rows | None = None,
        deny: Rows = (),
        rescore: Rescore | None = None,
    ) -> Found:
        """Return the k best items of each query: see ``ItemIndex``. If ``rescore`` gives no such products, all items are rescored."""
        queries = self.checked(queries, k)
        space = self.space(len(queries), seen, allow, deny)
        rows = torch.full((len(queries), k), -1, device=self.vectors.device)
        scores = torch.full((len(queries), k), -torch.inf, device=self.vectors.device)
        with _whole_float32(self.vectors.device.type):
            for start in range(0, len(queries), self._block_queries):
                part = slice(start, min(start + self._block_queries, len(queries)))
                self._fill(rows, scores, queries, part, space, rescore)
        return Found(rows, scores)

    def checked(self, queries: Tensor, k: int) -> Tensor:
        """Return queries as this index computes with them.

        Raises:
            ValueError: If they have another width, or k is below 1.
            DataError: If one is not finite.
        """
        if queries.dim() != 2 or queries.shape[1] != self.vectors.width:
            raise ValueError(
                f"queries have shape {tuple(queries.shape)}, [queries, {self.vectors.width}] is meant"
            )
        if k < 1:
            raise ValueError(f"k is {k}, 1 or more is meant")
        check_finite(queries, "query")
        return queries.detach().to(self.vectors.device, torch.float32)

    def space(
        self, queries: int, seen: Sequence[Rows] | None, allow: Rows | None, deny: Rows
    ) -> SearchSpace:
        """Return what may be found: see ``search``."""
        size = len(self.vectors)
        closed = sorted_distinct(torch.cat([self.removed, distinct_rows(deny, size, "deny")]))
        return SearchSpace(size, queries, seen, allow, closed)

    def products(self, queries: Tensor, rows: Tensor) -> Tensor:
        """Return the inner products of queries ``[b, D]`` with rows ``[b, c]``, each summed like the others."""
        columns = max(1, _NUMBERS // max(len(queries) * self.vectors.width, 1))
        parts = [
            (queries.unsqueeze(1) * self.vectors.take(some)).sum(-1)
            for some in torch.split(rows, columns, 1)
        ]
        return torch.cat(parts, 1)

    def _fill(
        self,
        rows: Tensor,
        scores: Tensor,
        queries: Tensor,
        part: slice,
        space: SearchSpace,
        rescore: Rescore | None,
    ) -> None:
        """Write the lists of some queries; those that are not certain are searched again one by one."""
        waiting, count = [part], scores.shape[1] + scores.shape[1] // 8 + 16
        while waiting and space.size:
            again: list[slice] = []
            for some in waiting:
                found, at, certain = self._ranked(
                    queries[some], scores.shape[1], min(count, space.size), some, space, rescore
                )
                width = found.shape[1]
                scores[some, :width] = found
                rows[some, :width] = torch.where(found > -torch.inf, at, -1)
                again += [
                    slice(some.start + b, some.start + b + 1)
                    for b in (~certain).nonzero()[:, 0].tolist()
                ]
            waiting, count = again, count * _WIDER

    def _ranked(
        self,
        queries: Tensor,
        k: int,
        count: int,
        part: slice,
        space: SearchSpace,
        rescore: Rescore | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores and rows of the k best of ``count`` candidates, and whether no other item can be among them."""
        rough, places = self._candidates(queries, count, part, space)
        rows = space.rows(places)
        exact = self.products(queries, rows) if rescore is None else rescore(part, rows)
        is_open = rough > -torch.inf
        # two ways to add D products differ by less; the constant of a rescored list is added in float32 too
        size = torch.where(is_open, exact, 0.0).abs().amax(1)
        length = queries.norm(dim=1) * self.vectors.longest
        slack = torch.finfo(torch.float32).eps * ((self.vectors.width + 8) * length + 8 * size)
        shift = exact - rough
        low = torch.where(is_open, shift, torch.inf).amin(1)
        high = torch.where(is_open, shift, -torch.inf).amax(1)
        scores, rows = ordered(torch.where(is_open, exact, -torch.inf), rows)
        last = scores[:, min(k, count) - 1]
        apart = (rough[:, -1] + low + 2 * slack < last) | (length == 0)
        certain = (high - low <= 2 * slack) & apart | ~is_open[:, -1]
        if count == space.size:
            certain = torch.ones_like(certain)
        return scores[:, :k], rows[:, :k], certain

    def _candidates(
        self, queries: Tensor, count: int, part: slice, space: SearchSpace
    ) -> tuple[Tensor, Tensor]:
        """Return the products and places of the ``count`` best, best first."""
        best = (
            torch.empty(len(queries), 0, device=queries.device),
            torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device),
        )
        # few queries take more items at once, for the same number of scores: each block costs a dozen small operations
        items = self._block_items * max(self._block_queries // max(len(queries), 1), 1)
        for first, vectors in self._blocks(space, items):
            scores = queries @ vectors.T  # [b, n]
            space.close(scores, first, part)
            values, columns = best_columns(scores, min(count, len(vectors)))
            best = merged(best, (values, columns + first), count)
        return best

    def _blocks(self, space: SearchSpace, items: int) -> Iterator[tuple[int, Tensor]]:
        if space.allowed is None:
            yield from self.vectors.blocks(items)
            return
        # these are copied, however few queries there are
        for first in range(0, space.size, self._block_items):
            yield first, self.vectors.take(space.allowed[first : first + self._block_items])


@contextmanager
def _whole_float32(device: str) -> Iterator[None]:
    """Compute products in float32 even where training was told to round them to fewer bits."""
    try:
        before = torch.get_float32_matmul_precision()
    except RuntimeError:  # it was set for one backend; rounded products choose worse, and lists take longer to be certain
        yield
        return
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.autocast(device, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
