"""Intervals by a paired bootstrap that draws users, not rows: rows of one user are not independent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s

DRAWS = 1000
LEVEL = 0.95
_BLOCK = 2_000_000  # weights held at once: bounds the memory, not the result
_TABLE = 20_000_000  # counts per user held at once, in the same way


@dataclass(frozen=True)
class Drawn:
    """The draws with replacement, the same for all models, so that differences are paired.

    Args:
        user: ``[R]`` codes of the users, which are drawn; without users, give each row its own code.
        item: ``[R]`` codes where items are drawn as well: a row then weighs the product of both counts.
        draws: Number of draws.
        seed: Seed of the draws.

    Reference:
        Owen 2007, The pigeonhole bootstrap, https://doi.org/10.1214/07-AOAS122.
    """

    user: Int64s
    item: Int64s | None = None
    draws: int = DRAWS
    seed: int = 0

    @property
    def is_possible(self) -> bool:
        """Whether there are at least two users (and items) to draw: one alone shows no variation.

        Example:
            >>> Drawn(np.array([7, 7])).is_possible, Drawn(np.array([7, 8])).is_possible
            (False, True)
        """
        return all(len(np.unique(of)) > 1 for of in (self.user, self.item) if of is not None)


def bootstrap_means(losses: Float64s, drawn: Drawn) -> Float64s:
    """Return the mean loss of each model in each draw.

    Args:
        losses: ``[M, R]``, a loss per model and row.
        drawn: The draws.

    Returns:
        ``[M, draws]``; NaN where a draw holds no row.
    """
    stacked = np.concatenate([losses, np.ones((1, losses.shape[1]))])  # [M + 1, R]
    if drawn.item is None:
        users = np.unique(drawn.user, return_inverse=True)[1]
        sums: Float64s = np.stack(
            [np.bincount(users, row) for row in stacked], axis=1
        )  # [U, M + 1]
        totals = _user_totals(sums, drawn).T
    else:
        totals = np.stack([stacked @ weight for weight in row_weights(drawn)], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Float64s = totals[:-1] / totals[-1]  # [M, draws]
    return means


def bootstrap_counts(labels: Int64s, size: int, drawn: Drawn) -> Float64s:
    """Return how often each label occurs in each draw.

    Args:
        labels: ``[S, R]`` places among ``size`` labels, -1 where there is none.
        size: K, the number of labels.
        drawn: The draws.

    Returns:
        ``[S, K, draws]``.
    """
    counts = _counts_by_user if drawn.item is None else _counts_by_row
    return counts(labels, size, drawn)


def row_weights(drawn: Drawn) -> Iterator[Float64s]:
    """Yield how often each row occurs, ``[R]``, a draw at a time."""
    users = np.unique(drawn.user, return_inverse=True)[1]
    sizes = [int(users.max()) + 1]
    if drawn.item is None:
        for block in _weights(sizes[0], drawn.draws, drawn.seed, _held(sizes)):
            yield from (weight[users] for weight in block)
        return
    items = np.unique(drawn.item, return_inverse=True)[1]
    sizes.append(int(items.max()) + 1)
    pairs = zip(
        _weights(sizes[0], drawn.draws, drawn.seed, _held(sizes)),
        _weights(sizes[1], drawn.draws, drawn.seed + 1, _held(sizes)),
        strict=True,
    )
    for of_users, of_items in pairs:
        yield from (u[users] * i[items] for u, i in zip(of_users, of_items, strict=True))


def interval(draws: Float64s) -> tuple[float, float]:
    """Return the bounds of the middle 95 % of the draws; draws without rows are left out."""
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _user_totals(sums: Float64s, drawn: Drawn) -> Float64s:
    """Return the users' ``sums`` ``[U, S]`` added up as often as each is drawn, ``[draws, S]``."""
    size = len(sums)
    blocks = _weights(size, drawn.draws, drawn.seed, _held([size]))
    return np.concatenate([weights @ sums for weights in blocks])


def _held(sizes: list[int]) -> int:
    return max(_BLOCK // max(sizes), 1)


def _weights(size: int, draws: int, seed: int, held: int) -> Iterator[Float64s]:
    """Yield the draws' counts of each group, ``held`` draws at a time; the split does not change them."""
    rng = np.random.default_rng(seed)
    chances = np.full(size, 1 / size)
    for start in range(0, draws, held):
        yield rng.multinomial(size, chances, size=min(held, draws - start)).astype(np.float64)


def _counts_by_user(labels: Int64s, size: int, drawn: Drawn) -> Float64s:
    """Return ``bootstrap_counts`` where users alone are drawn: sums of the users' counts."""
    distinct, users = np.unique(drawn.user, return_inverse=True)
    step = max(_TABLE // (len(labels) * len(distinct)), 1)
    parts = []
    for start in range(0, size, step):
        width = min(step, size - start)
        table = np.stack([_per_user(users, len(distinct), row - start, width) for row in labels])
        flat = np.moveaxis(table, 1, 0).reshape(len(distinct), -1)  # [U, S * width]
        totals = _user_totals(flat, drawn).reshape(drawn.draws, len(labels), width)
        parts.append(np.moveaxis(totals, 0, 2))
    return np.concatenate(parts, axis=1)


def _per_user(users: Int64s, size: int, labels: Int64s, width: int) -> Float64s:
    """Return how often each of ``size`` users has each of ``width`` labels, ``[size, width]``; others are ignored."""
    inside = (labels >= 0) & (labels < width)
    code = users[inside] * width + labels[inside]
    return np.bincount(code, minlength=size * width).reshape(size, width).astype(np.float64)


def _counts_by_row(labels: Int64s, size: int, drawn: Drawn) -> Float64s:
    """Return ``bootstrap_counts`` where each draw has a weight for every row."""
    # rows with the same labels in all models are summed first: a draw has many rows, but few kinds of them
    kinds, kind = np.unique(labels, axis=1, return_inverse=True)  # [S, J], [R]
    totals = (np.bincount(kind, weight) for weight in row_weights(drawn))  # [J] a draw
    counts = [
        [np.bincount(row + 1, total, minlength=size + 1)[1:] for row in kinds] for total in totals
    ]
    return np.moveaxis(np.array(counts, np.float64), 0, 2)
