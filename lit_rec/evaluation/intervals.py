"""Intervals by a paired bootstrap that draws users, not rows: rows of one user are not independent."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lit_rec.evaluation.rows import Floats, Ints

DRAWS = 1000
LEVEL = 0.95
_BLOCK = 2_000_000  # weights held at once: bounds the memory, not the result


def bootstrap_weights(groups: Ints, draws: int, seed: int) -> Floats:
    """Return how often each distinct group is drawn, ``[draws, G]``: as many draws as there are groups, with replacement."""
    return np.concatenate(list(_weights(len(np.unique(groups)), draws, seed, draws)))


def can_be_resampled(user: Ints, item: Ints | None = None) -> bool:
    """Return whether there are two or more of what is drawn: a single user tells nothing of how another would differ.

    Args:
        user: ``[R]`` codes.
        item: ``[R]`` codes where items are drawn as well.

    Example:
        >>> can_be_resampled(np.array([7, 7])), can_be_resampled(np.array([7, 8]))
        (False, True)
    """
    return all(len(np.unique(drawn)) > 1 for drawn in (user, item) if drawn is not None)


def bootstrap_means(
    losses: Floats, user: Ints, item: Ints | None = None, *, draws: int = DRAWS, seed: int = 0
) -> Floats:
    """Return the mean loss of each model in each draw; the draws are the same for all models, so differences are paired.

    Args:
        losses: ``[M, R]``, a loss per model and row.
        user: ``[R]`` codes; users are drawn.
        item: ``[R]`` codes where items are drawn as well, each row weighing the product of both counts.
        draws: Number of draws.
        seed: Seed of the draws.

    Returns:
        ``[M, draws]``; NaN where a draw holds no row.

    Reference:
        Owen 2007, The pigeonhole bootstrap, https://doi.org/10.1214/07-AOAS122.
    """
    distinct, users = np.unique(user, return_inverse=True)
    stacked = np.concatenate([losses, np.ones((1, losses.shape[1]))])  # [M + 1, R]
    if item is None:
        held = max(_BLOCK // len(distinct), 1)
        sums = np.stack([np.bincount(users, row) for row in stacked])  # [M + 1, U]
        blocks = [sums @ u.T for u in _weights(len(distinct), draws, seed, held)]
        totals = np.concatenate(blocks, axis=1)  # [M + 1, draws]
    else:
        distinct_items, items = np.unique(item, return_inverse=True)
        held = max(_BLOCK // max(len(distinct), len(distinct_items)), 1)
        pairs = zip(
            _weights(len(distinct), draws, seed, held),
            _weights(len(distinct_items), draws, seed + 1, held),
            strict=True,
        )
        totals = np.stack(
            [
                stacked @ (u[users] * i[items])
                for block in pairs
                for u, i in zip(*block, strict=True)
            ],
            axis=1,
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = totals[:-1] / totals[-1]
    return means


def _weights(size: int, draws: int, seed: int, held: int) -> Iterator[Floats]:
    """Yield the draws' counts of each group, ``held`` draws at a time; the split does not change them."""
    rng = np.random.default_rng(seed)
    chances = np.full(size, 1 / size)
    for start in range(0, draws, held):
        yield rng.multinomial(size, chances, size=min(held, draws - start)).astype(np.float64)


def interval(draws: Floats) -> tuple[float, float]:
    """Return the middle 95 % of the draws, those without rows left out."""
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
