"""Strategies of active learning: from what a classifier says of a pool of texts to those to be labelled next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Float32s, Float64s, Int64s
from lit_rec.inference.acquisition.spread_out import far_from_chosen, gradients_apart


@dataclass(frozen=True)
class Pool:
    """What a classifier says of N texts, and of L that have a label already.

    Shape:
        prob: ``[N, K]``, probabilities of the labels; empty where ratings are predicted. vectors: ``[N, D]``, inputs of
        the last layer. labelled: ``[L, D]``, the same of texts with a label.
    """

    prob: Float32s
    vectors: Float32s
    labelled: Float32s

    def __len__(self) -> int:
        """Return N."""
        return len(self.vectors)


@dataclass(frozen=True)
class Order:
    """Texts to be labelled, the best first.

    Shape:
        place: ``[count]`` int64, places in the pool. score: ``[count]`` float64, why each was chosen when it was; a
        larger one says more for a text.
    """

    place: Int64s
    score: Float64s


def entropy(pool: Pool, count: int, seed: int = 0) -> Order:
    """Return the texts whose predicted labels have the largest entropy; the score is the entropy in nats.

    Args:
        pool: The texts.
        count: How many.
        seed: Seed of the order of equal ones.

    Reference:
        Settles 2009, Active learning literature survey, https://burrsettles.com/pub/settles.activelearning.pdf, section
        3.1.

    Example:
        >>> found = entropy(Pool(np.array([[1.0, 0.0], [0.5, 0.5]]), np.zeros((2, 1)), np.zeros((0, 1))), count=1)
        >>> found.place.tolist(), found.score.round(4).tolist()
        ([1], [0.6931])
    """
    prob = np.asarray(pool.prob, np.float64)
    return _largest(-(prob * np.log(np.maximum(prob, 1e-30))).sum(1), count, seed)


def margin(pool: Pool, count: int, seed: int = 0) -> Order:
    """Return the texts whose two most probable labels differ least; the score is 1 minus this difference.

    Args:
        pool: The texts.
        count: How many.
        seed: Seed of the order of equal ones.

    Reference:
        Scheffer, Decomain & Wrobel 2001, Active hidden Markov models, https://doi.org/10.1007/3-540-44816-0_31.

    Example:
        >>> prob = np.array([[0.75, 0.25, 0.0], [0.5, 0.375, 0.125]])
        >>> found = margin(Pool(prob, np.zeros((2, 1)), np.zeros((0, 1))), count=2)
        >>> found.place.tolist(), found.score.tolist()
        ([1, 0], [0.875, 0.5])
    """
    best = np.sort(np.asarray(pool.prob, np.float64), axis=1)[:, -2:]
    difference = best[:, -1] - best[:, 0] if best.shape[1] > 1 else np.ones(len(best))
    return _largest(1 - difference, count, seed)


def badge(pool: Pool, count: int, seed: int = 0) -> Order:
    """Return texts that would each change the last layer much, and in different directions (BADGE).

    A text's gradient is that of its loss by the last layer's weights if its most probable label were right: the outer
    product of (probabilities - this label) and its vector. The largest gradient comes first. Each next one is drawn
    with a probability proportional to its squared distance from the nearest chosen one, as k-means++ begins. The score
    is this distance; of the first the length of its gradient.

    Args:
        pool: The texts.
        count: How many.
        seed: Seed of the draws.

    Reference:
        Ash et al. 2020, Deep batch active learning by diverse, uncertain gradient lower bounds,
        https://arxiv.org/abs/1906.03671.

    Example:
        >>> prob, vectors = np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]]), np.array([[1.0], [3.0], [9.0]])
        >>> badge(Pool(prob, vectors, np.zeros((0, 1))), count=1).score.round(4)  # 3 * |(-0.5, 0.5)|
        array([2.1213])
    """
    error = np.array(pool.prob, np.float32)
    error[np.arange(len(error)), error.argmax(1)] -= 1
    draws = np.random.default_rng(seed)
    return Order(*gradients_apart(error, pool.vectors, count, draws))


def k_center(pool: Pool, count: int, seed: int = 0) -> Order:
    """Return texts far from all that are labelled and from each other: each is the farthest left (core-set).

    The score is the distance to the nearest labelled or chosen text.

    Args:
        pool: The texts.
        count: How many.
        seed: Not used: nothing is drawn.

    Reference:
        Sener & Savarese 2018, Active learning for convolutional neural networks: a core-set approach,
        https://arxiv.org/abs/1708.00489, algorithm 1.

    Example:
        >>> vectors = np.array([[1.0], [4.0], [9.0]])
        >>> found = k_center(Pool(np.zeros((3, 0)), vectors, labelled=np.array([[0.0]])), count=2)
        >>> found.place.tolist(), found.score.tolist()
        ([2, 1], [9.0, 4.0])
    """
    return Order(*far_from_chosen(pool.vectors, pool.labelled, count))


def random(pool: Pool, count: int, seed: int = 0) -> Order:
    """Return texts drawn at random; the score is the random number of each.

    Args:
        pool: The texts.
        count: How many.
        seed: Seed of the draws.

    Example:
        >>> random(Pool(np.zeros((9, 0)), np.zeros((9, 1)), np.zeros((0, 1))), count=2).place.tolist()
        [5, 4]
    """
    return _largest(np.random.default_rng(seed).random(len(pool)), count, seed)


STRATEGIES: dict[str, Callable[[Pool, int, int], Order]] = {
    "entropy": entropy,
    "margin": margin,
    "badge": badge,
    "k_center": k_center,
    "random": random,
}
WITHOUT_LABELS = ("k_center", "random")  # they need no probabilities
NEAR_LABELLED = ("k_center",)  # they compare with texts that have a label


def _largest(score: Float64s, count: int, seed: int) -> Order:
    """Return the largest scores; equal ones in an order of chance, as a pool may be sorted by what it is about."""
    drawn = np.random.default_rng(seed).permutation(len(score))
    place = drawn[np.argsort(-score[drawn], kind="stable")[:count]]
    return Order(place, score[place])
