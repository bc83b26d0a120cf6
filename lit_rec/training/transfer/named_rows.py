"""Weights of which each row belongs to a name: an id, a label, a category, a field of texts."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """What the rows of a weight belong to.

    Args:
        names: A name for each row, in order; None for what is no name, such as the row of unknown ids.
        kind: What they are, in words: ``items``.
        dim: The dimension of the rows.
        size: How many numbers along ``dim`` belong to a name.
    """

    names: tuple[Hashable, ...]
    kind: str
    dim: int = 0
    size: int = 1

    def fits(self, weight: Tensor) -> bool:
        """Return whether a weight has these rows."""
        return weight.dim() > self.dim and weight.shape[self.dim] == len(self.names) * self.size


@dataclass(frozen=True)
class Merged:
    """A weight with rows of another one.

    Args:
        value: The weight.
        taken: Which numbers are those of the other one; bool, of the same shape.
        known: How many names the other one has, too.
        names: How many names there are.
    """

    value: Tensor
    taken: Tensor
    known: int
    names: int


def merged(here: Tensor, there: Tensor, rows: Rows, others: Rows) -> Merged | None:
    """Return a weight with the rows whose names another weight has; None: their other dimensions differ.

    Args:
        here: The weight.
        there: The other one.
        rows: Names of the rows ``here``.
        others: Names of the rows ``there``.

    Example:
        >>> rows, others = Rows((None, "a", "b"), "items"), Rows((None, "b"), "items")
        >>> found = merged(torch.zeros(3, 1), torch.tensor([[7.0], [8.0]]), rows, others)
        >>> found.value.flatten().tolist(), found.known, found.names
        ([7.0, 0.0, 8.0], 1, 2)
    """
    if not (rows.fits(here) and others.fits(there) and rows.size == others.size):
        return None
    shapes = [list(weight.shape) for weight in (here, there)]
    for shape in shapes:
        del shape[rows.dim]
    if rows.dim != others.dim or shapes[0] != shapes[1]:
        return None
    place = {name: number for number, name in enumerate(others.names)}
    pairs = [(n, place[name]) for n, name in enumerate(rows.names) if name in place]
    into, source = (_numbers([pair[side] for pair in pairs], rows.size) for side in (0, 1))
    value, taken = here.clone(), torch.zeros_like(here, dtype=torch.bool)
    value.index_copy_(rows.dim, into, there.index_select(rows.dim, source).to(here.dtype))
    taken.index_fill_(rows.dim, into, True)
    known = sum(rows.names[n] is not None for n, _ in pairs)
    return Merged(value, taken, known, sum(name is not None for name in rows.names))


def _numbers(places: list[int], size: int) -> Tensor:
    first = torch.tensor(places, dtype=torch.int64).unsqueeze(1) * size
    return (first + torch.arange(size)).flatten()
