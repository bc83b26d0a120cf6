"""Intervals by a paired bootstrap that draws users, not rows: rows of one user are not independent."""

from __future__ import annotations

import numpy as np

from lit_rec.evaluation.rows import Floats, Ints

DRAWS = 1000
LEVEL = 0.95


def bootstrap_weights(groups: Ints, draws: int, seed: int) -> Floats:
    """Return how often each distinct group is drawn, ``[draws, G]``: as many draws as there are groups, with replacement."""
    size = len(np.unique(groups))
    rng = np.random.default_rng(seed)
    return rng.multinomial(size, np.full(size, 1 / size), size=draws).astype(np.float64)


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
    users = np.unique(user, return_inverse=True)[1]
    user_weights = bootstrap_weights(user, draws, seed)  # [draws, U]
    ones = np.ones((1, losses.shape[1]))
    stacked = np.concatenate([losses, ones])  # [M + 1, R]
    if item is None:
        sums = np.stack(
            [np.bincount(users, row, minlength=user_weights.shape[1]) for row in stacked]
        )
        totals = sums @ user_weights.T  # [M + 1, draws]
    else:
        items = np.unique(item, return_inverse=True)[1]
        item_weights = bootstrap_weights(item, draws, seed + 1)
        totals = np.stack(
            [
                stacked @ (u[users] * i[items])
                for u, i in zip(user_weights, item_weights, strict=True)
            ],
            axis=1,
        )
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = totals[:-1] / totals[-1]
    return means


def interval(draws: Floats) -> tuple[float, float]:
    """Return the middle 95 % of the draws, those without rows left out."""
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
