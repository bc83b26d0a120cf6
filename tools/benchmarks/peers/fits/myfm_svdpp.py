"""A Bayesian factorization machine of myFM: user, item, and the items that the user rated, as in SVD++.

Rank 10 and 500 iterations of Gibbs sampling, as in its documentation's example of MovieLens; nothing is chosen. One
line is fitted on the training rows; as no option needs validation rows, the other is fitted on them, too. Predictions
are clipped to the range of the ratings.

Reference:
    Rendle, Zhang & Koren 2019, On the Difficulty of Evaluating Baselines, https://arxiv.org/abs/1905.01395.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from myfm import MyFMRegressor, RelationBlock
from scipy.sparse import csr_matrix, hstack, identity

from tools.benchmarks.peers.exchange import Array, Line, Timed, answer
from tools.benchmarks.peers.fits.ratings import both_ways

_RANK = 10
_ITERATIONS = 500


def lines(rows: dict[str, Array]) -> Iterator[Line]:
    """Yield both."""
    users, items = int(rows["users"]), int(rows["items"])
    options = {"rank": _RANK, "iterations": _ITERATIONS}
    for more, user, item, rating in both_ways(rows):
        with Timed() as fit:
            features = _of_users(user, item, (users, items)), identity(items, format="csr")
            model = MyFMRegressor(rank=_RANK, random_seed=0)
            # users, what they rated, items: each has its own prior
            model.fit(
                None,
                rating,
                X_rel=_blocks(user, item, features),
                n_iter=_ITERATIONS,
                group_shapes=[users, items, items],
            )
        with Timed() as predict:
            tested = _blocks(rows["test_user"], rows["test_item"], features)
            predicted = model.predict(None, tested).clip(rating.min(), rating.max())
        yield Line(f"myfm{more}", predicted, fit.seconds, predict.seconds, options=options)


def _of_users(user: Array, item: Array, shape: tuple[int, int]) -> csr_matrix:
    """Return users, one-hot, beside what each rated, ``1 / sqrt(number)``: ``[users, users + items]``."""
    count = np.bincount(user, minlength=shape[0])[user]
    rated = csr_matrix((1 / np.sqrt(count), (user, item)), shape=shape)
    return hstack([identity(shape[0]), rated], format="csr")


def _blocks(
    user: Array, item: Array, features: tuple[csr_matrix, csr_matrix]
) -> list[RelationBlock]:
    """Return the features of rows; those of a user, and of an item, are stored once."""
    return [RelationBlock(code, of) for code, of in zip((user, item), features, strict=True)]


if __name__ == "__main__":
    answer(lines, sys.argv[1:])
