"""Greedy choices of vectors that lie apart: the farthest next, or one drawn by its distance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lit_rec.data.arrays import Float32s, Float64s, Int64s

_BLOCK = 20_000_000  # distances held at once: bounds the memory, not the result


def far_from_chosen(vectors: Float32s, labelled: Float32s, count: int) -> tuple[Int64s, Float64s]:
    """Choose each time the vector that is farthest from all labelled and chosen ones.

    Args:
        vectors: ``[N, D]``.
        labelled: ``[L, D]``; if there are none, the first vector is chosen first, at an infinite distance.
        count: How many, N at most.

    Returns:
        Places ``[count]``, and each one's distance when it was chosen.

    Example:
        >>> place, distance = far_from_chosen(np.array([[0.0], [1.0], [5.0]]), np.zeros((0, 1)), count=3)
        >>> place.tolist(), distance.tolist()
        ([0, 2, 1], [inf, 5.0, 1.0])
    """
    squares = _squares(vectors)
    nearest = np.full(len(vectors), np.inf)
    step = max(_BLOCK // max(len(vectors), 1), 1)
    for start in range(0, len(labelled), step):
        part = labelled[start : start + step]
        apart = squares[:, None] + _squares(part) - 2 * (vectors @ part.T)
        np.minimum(nearest, apart.min(1), out=nearest)

    def to_chosen(place: int) -> Float64s:
        found: Float64s = squares + squares[place] - 2 * (vectors @ vectors[place])
        return found

    return _greedy(np.maximum(nearest, 0), to_chosen, count, _farthest)


def gradients_apart(
    error: Float32s, vectors: Float32s, count: int, draws: np.random.Generator
) -> tuple[Int64s, Float64s]:
    """Choose outer products of ``error`` and ``vectors`` as k-means++ begins: the longest first, then by draws.

    No outer product is formed: ``<a b', c d'> = <a, c> <b, d>``.

    Args:
        error: ``[N, K]``.
        vectors: ``[N, D]``.
        count: How many, N at most.
        draws: Draws each next one with a probability proportional to its squared distance from the nearest chosen one.

    Returns:
        Places ``[count]``, and each one's distance when it was chosen: of the first the length of its product.

    Example:
        >>> place, length = gradients_apart(np.array([[1.0], [2.0]]), np.ones((2, 4)), 1, np.random.default_rng(0))
        >>> place.tolist(), length.tolist()
        ([1], [4.0])
    """
    squares = _squares(error) * _squares(vectors)

    def to_chosen(place: int) -> Float64s:
        inner = (error @ error[place]).astype(np.float64) * (vectors @ vectors[place])
        found: Float64s = squares + squares[place] - 2 * inner
        return found

    def drawn(nearest: Float64s, number: int) -> int:
        weight = np.maximum(nearest, 0)
        total = weight.sum()
        if not number or not total:  # all that are left are like chosen ones: the longest of them
            return int(np.where(nearest < 0, -1.0, squares).argmax())
        return int(draws.choice(len(weight), p=weight / total))

    return _greedy(squares, to_chosen, count, drawn, resets=True)


def _farthest(nearest: Float64s, number: int) -> int:
    return int(nearest.argmax())


def _greedy(
    nearest: Float64s,
    to_chosen: Callable[[int], Float64s],
    count: int,
    choose: Callable[[Float64s, int], int],
    *,
    resets: bool = False,
) -> tuple[Int64s, Float64s]:
    """Choose one after the other, by squared distances from the nearest chosen one; chosen ones have -1.

    Args:
        nearest: ``[N]``, squared distances before anything is chosen.
        to_chosen: Gives all squared distances from one place.
        count: How many.
        choose: From distances, and how many are chosen, to the next place.
        resets: Whether distances before the first choice do not count after it.
    """
    nearest = np.array(nearest, np.float64)
    places, score = np.empty(count, np.int64), np.empty(count)
    for number in range(count):
        place = places[number] = choose(nearest, number)
        score[number] = nearest[place]
        taken = nearest < 0
        found = np.maximum(to_chosen(place), 0)
        nearest = found if resets and not number else np.minimum(nearest, found)
        nearest[taken] = nearest[place] = -1.0
    return places, np.sqrt(np.maximum(score, 0))


def _squares(vectors: Float32s) -> Float64s:
    found: Float64s = np.einsum("nd,nd->n", vectors, vectors).astype(np.float64)
    return found
