"""SearchSpace: the rows of a catalogue that a search may find."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lit_rec.data.arrays import Int64s

Rows = Sequence[int] | Int64s | Tensor


def distinct_rows(rows: Rows, size: int, name: str) -> Tensor:
    """Return rows of a catalogue, sorted and distinct, on the CPU.

    Args:
        rows: The rows.
        size: Number of rows of the catalogue.
        name: The argument's name, for the error.

    Raises:
        ValueError: If the catalogue has no such row.

    Example:
        >>> distinct_rows([3, 1, 3], 4, "deny")
        tensor([1, 3])
    """
    found: Tensor = torch.unique(torch.as_tensor(rows, dtype=torch.int64).cpu())
    if len(found) and not (found[0] >= 0 and found[-1] < size):
        wrong = found[0] if found[0] < 0 else found[-1]
        raise ValueError(f"{name} has row {int(wrong)}, the catalogue has rows 0 to {size - 1}")
    return found


class SearchSpace:
    """The places that are searched, and those that are closed to all queries or to one.

    Without ``allow`` a place is a row of the catalogue. With it, a place is an index of the sorted allowed rows, so
    that few allowed items cost little.

    Args:
        size: Number of rows of the catalogue.
        queries: B, the number of queries.
        seen: Rows that are left out, for each query.
        allow: Only these rows.
        closed: Not these rows: sorted and distinct.

    Raises:
        ValueError: If the catalogue has no such row, or ``seen`` is not of B queries.
    """

    def __init__(
        self,
        size: int,
        queries: int,
        seen: Sequence[Rows] | None,
        allow: Rows | None,
        closed: Tensor,
    ) -> None:
        self._rows = size
        self.allowed: Tensor | None = None
        self.closed = closed
        if allow is not None:
            rows = distinct_rows(allow, size, "allow")
            self.allowed = rows[~is_among(rows, closed)]
            self.closed = closed[:0]
        self.size = size if self.allowed is None else len(self.allowed)
        if seen is not None and len(seen) != queries:
            raise ValueError(f"seen is of {len(seen)} queries, there are {queries}")
        each = [torch.as_tensor(rows, dtype=torch.int64).cpu() for rows in seen or ()]
        place = torch.cat([*each, closed[:0]])
        distinct_rows(place, size, "seen")
        query = torch.repeat_interleave(
            torch.tensor([len(rows) for rows in each], dtype=torch.int64)
        )
        if self.allowed is not None:
            inside = is_among(place, self.allowed)
            place, query = torch.searchsorted(self.allowed, place[inside]), query[inside]
        self._place, order = place.sort(stable=True)
        self._query = query[order]
        self._pairs = (self._query * self.size + self._place).sort().values

    def rows(self, places: Tensor) -> Tensor:
        """Return the rows of places."""
        return places if self.allowed is None else self.allowed.to(places.device)[places]

    def may_find(self, rows: Tensor, queries: Tensor) -> Tensor:
        """Return which rows ``[b, c]`` the ``queries`` ``[b]`` may find; rows may be any numbers. All on the CPU."""
        there = (rows >= 0) & (rows < self._rows)
        place, found = rows, there & ~is_among(rows, self.closed)
        if self.allowed is not None:
            found = there & is_among(rows, self.allowed)
            place = torch.searchsorted(self.allowed, rows)
        return found & ~is_among(queries.unsqueeze(1) * self.size + place, self._pairs)

    def close(self, scores: Tensor, first: int, queries: slice) -> None:
        """Set the scores ``[b, n]`` of closed places to -inf.

        Args:
            scores: Scores of b queries and n places.
            first: The first place.
            queries: The queries.
        """
        edges = torch.tensor([first, first + scores.shape[1]])
        start, stop = torch.searchsorted(self.closed, edges).tolist()
        if stop > start:
            scores[:, (self.closed[start:stop] - first).to(scores.device)] = -torch.inf
        start, stop = torch.searchsorted(self._place, edges).tolist()
        if stop > start:
            query, place = self._query[start:stop], self._place[start:stop]
            mine = (query >= queries.start) & (query < queries.stop)
            at = (query[mine] - queries.start, place[mine] - first)
            scores[at[0].to(scores.device), at[1].to(scores.device)] = -torch.inf


def is_among(values: Tensor, known: Tensor) -> Tensor:
    """Return which of ``values`` are in the sorted ``known``.

    Example:
        >>> is_among(torch.tensor([4, 1, 9]), torch.tensor([1, 4]))
        tensor([ True,  True, False])
    """
    if not len(known):
        return torch.zeros_like(values, dtype=torch.bool)
    place = torch.searchsorted(known, values).clamp(max=len(known) - 1)
    return known[place] == values
