"""ExactSearch: the search of an ExactIndex, as an immutable value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lit_rec.inference.index.best_columns import best_columns, merged, ordered
from lit_rec.inference.index.item_index import Found, Rescore
from lit_rec.inference.index.item_vectors import ItemVectors, check_finite
from lit_rec.inference.index.search_space import Rows, SearchSpace, distinct_rows
from lit_rec.inference.index.whole_float32 import whole_float32

_WIDER = 8  # times as many candidates if they were too few
_NUMBERS = 1 << 22  # numbers of item vectors in one step of elementwise products


@dataclass(frozen=True)
class ExactSearch:
    """The vectors of a catalogue, the removed ones among them, and their search.

    It is immutable, so searches need no lock.

    Args:
        vectors: All vectors.
        removed: Rows that are never found: sorted and distinct, on the CPU.
        block_items: As for ``ExactIndex``.
        block_queries: As for ``ExactIndex``.

    Example:
        >>> search = ExactSearch(ItemVectors(torch.tensor([[1.0], [3.0]])), torch.tensor([1]))
        >>> len(search), search.find(torch.tensor([[2.0]]), 1).rows.tolist()
        (1, [[0]])
    """

    vectors: ItemVectors
    removed: Tensor
    block_items: int = 32_768
    block_queries: int = 128

    @classmethod
    def of(cls, vectors: Tensor) -> ExactSearch:
        """Return the search of vectors ``[I, D]`` of which none is removed."""
        return cls(ItemVectors(vectors), torch.empty(0, dtype=torch.int64))

    def __len__(self) -> int:
        """Return the number of items that can be found."""
        return len(self.vectors) - len(self.removed)

    def with_more(self, vectors: Tensor) -> ExactSearch:
        """Return the search of these items and of more ``[n, D]`` after the last: see ``ItemVectors.with_more``."""
        return replace(self, vectors=self.vectors.with_more(vectors))

    def without(self, rows: Rows) -> ExactSearch:
        """Return the search with these rows removed too.

        Raises:
            ValueError: If a row is not one of the catalogue.
        """
        gone = distinct_rows(rows, len(self.vectors), "rows")
        return replace(self, removed=torch.unique(torch.cat([self.removed, gone])))

    def remaining(self) -> Tensor:
        """Return the rows that are not removed, in their order."""
        remains = torch.ones(len(self.vectors), dtype=torch.bool)
        remains[self.removed] = False
        return remains.nonzero()[:, 0]

    def compacted(self) -> ExactSearch:
        """Return the search without removed items, whose vectors are freed."""
        return replace(self, vectors=self.vectors.only(self.remaining()), removed=self.removed[:0])

    @torch.no_grad()
    def find(
        self,
        queries: Tensor,
        k: int,
        *,
        seen: Sequence[Rows] | None = None,
        allow: Rows | None = None,
        deny: Rows = (),
        rescore: Rescore | None = None,
    ) -> Found:
        """Return the k best items of each query: see ``ItemIndex.search``.

        If the results of ``rescore`` are not such products, all items are rescored.
        """
        queries = self.checked(queries, k)
        space = self.space(len(queries), seen, allow, deny)
        rows = torch.full((len(queries), k), -1, device=self.vectors.device)
        scores = torch.full((len(queries), k), -torch.inf, device=self.vectors.device)
        with whole_float32(self.vectors.device.type):
            for start in range(0, len(queries), self.block_queries):
                part = slice(start, min(start + self.block_queries, len(queries)))
                self._fill(rows, scores, queries, part, space, rescore)
        return Found(rows, scores)

    def checked(self, queries: Tensor, k: int) -> Tensor:
        """Return checked queries as float32 on the device of the vectors.

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
        """Return the items that may be found: see ``find``."""
        size = len(self.vectors)
        closed = torch.unique(torch.cat([self.removed, distinct_rows(deny, size, "deny")]))
        return SearchSpace(size, queries, seen, allow, closed)

    def products(self, queries: Tensor, rows: Tensor) -> Tensor:
        """Return the inner products of queries ``[b, D]`` with rows ``[b, c]``, all summed in the same way."""
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
        """Write the lists of some queries; queries with uncertain lists are searched again one by one."""
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
        """Return scores and rows of the k best of ``count`` candidates, and whether they are certainly the best."""
        rough, places = self._candidates(queries, count, part, space)
        rows = space.rows(places)
        exact = self.products(queries, rows) if rescore is None else rescore(part, rows)
        is_open = rough > -torch.inf
        # bound of the rounding error of a sum of D products; the constant of a rescored list is added in float32 too
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
        # fewer queries get larger blocks of items, because each block costs a dozen small operations
        items = self.block_items * max(self.block_queries // max(len(queries), 1), 1)
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
        # these are copied, so blocks are not larger for fewer queries
        for first in range(0, space.size, self.block_items):
            yield first, self.vectors.take(space.allowed[first : first + self.block_items])
