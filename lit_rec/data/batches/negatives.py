"""Negatives: which items a target is compared with while training."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError, option_of


class Negatives(ABC):
    """A choice among the V items of training rows: an item without training rows would only be pushed away.

    ``draws`` says whether items are drawn in addition to those of the batch's rows.

    Example:
        >>> class FirstItem(Negatives):
        ...     def draw(self, log_frequency: Float64s, rng: np.random.Generator) -> Int64s:
        ...         return np.array([0])
        ...     def log_prob(self, log_frequency: Float64s, behaviors: int) -> Float64s:
        ...         return np.where(np.arange(len(log_frequency)) == 0, 0.0, -np.inf)
        >>> FirstItem().log_prob(np.log([0.5, 0.5]), 8).tolist()
        [0.0, -inf]
    """

    draws = True

    @abstractmethod
    def draw(self, log_frequency: Float64s, rng: np.random.Generator) -> Int64s:
        """Return distinct, increasing places among the V items.

        Args:
            log_frequency: ``[V]``, log share of training rows of each item.
            rng: Random generator.
        """

    @abstractmethod
    def log_prob(self, log_frequency: Float64s, behaviors: int) -> Float64s:
        """Return the log probability ``[V]`` that each item is among the negatives.

        Args:
            log_frequency: ``[V]``.
            behaviors: How many behaviors the batch has.
        """


class BatchNegatives(Negatives):
    """The distinct items of the batch, those of other processes included: they are encoded anyway.

    An item is in the batch with probability ``1 - (1 - f)^n`` for a share f of the training rows and n behaviors in the
    batch. For a rare item this is about ``n f``, as in the log-frequency correction.

    Reference:
        Yi et al. 2019, Sampling-bias-corrected neural modeling, https://doi.org/10.1145/3298689.3346996.

    Example:
        >>> log_prob = BatchNegatives().log_prob(np.log([0.5, 0.1]), behaviors=2)
        >>> np.exp(log_prob).round(6).tolist()  # 1 - 0.5 ** 2, 1 - 0.9 ** 2
        [0.75, 0.19]
    """

    draws = False

    def draw(self, log_frequency: Float64s, rng: np.random.Generator) -> Int64s:
        """Return nothing: the batch has its items."""
        return np.empty(0, np.int64)

    def log_prob(self, log_frequency: Float64s, behaviors: int) -> Float64s:
        """Return ``log (1 - (1 - f)^n)``."""
        return _log_met(log_frequency, behaviors)


class UniformNegatives(Negatives):
    """Items drawn uniformly, without repetition, the same for all targets of a batch.

    Args:
        count: How many; all items where there are fewer.

    Raises:
        ConfigError: If ``count`` is below 1.

    Example:
        >>> UniformNegatives(5).draw(np.log(np.full(3, 1 / 3)), np.random.default_rng(0)).tolist()
        [0, 1, 2]
    """

    def __init__(self, count: int = 1000) -> None:
        self.count = _at_least_one(self, count)

    def draw(self, log_frequency: Float64s, rng: np.random.Generator) -> Int64s:
        """Draw."""
        size = len(log_frequency)
        return np.sort(rng.choice(size, min(self.count, size), replace=False, shuffle=False))

    def log_prob(self, log_frequency: Float64s, behaviors: int) -> Float64s:
        """Return the log of the share that is drawn."""
        size = len(log_frequency)
        return np.full(size, np.log(min(self.count, size) / max(size, 1)))


class PopularNegatives(Negatives):
    """Items drawn in proportion to their training rows; repeated draws count once.

    Args:
        count: The number of draws.

    Raises:
        ConfigError: If ``count`` is below 1.

    Example:
        >>> drawn = PopularNegatives(100).draw(np.log([0.5, 0.5]), np.random.default_rng(0))
        >>> drawn.tolist()  # each drawn often, returned once
        [0, 1]
    """

    def __init__(self, count: int = 1000) -> None:
        self.count = _at_least_one(self, count)

    def draw(self, log_frequency: Float64s, rng: np.random.Generator) -> Int64s:
        """Draw."""
        until = np.cumsum(np.exp(log_frequency))
        drawn = np.searchsorted(until, rng.random(self.count) * until[-1], side="right")
        return np.unique(np.minimum(drawn, len(until) - 1)).astype(np.int64)

    def log_prob(self, log_frequency: Float64s, behaviors: int) -> Float64s:
        """Return ``log (1 - (1 - f)^count)``."""
        return _log_met(log_frequency, self.count)


class CatalogueNegatives(Negatives):
    """Every item of training rows: exact, but all of them are encoded in each step.

    Example:
        >>> CatalogueNegatives().draw(np.log([0.5, 0.3, 0.2]), np.random.default_rng(0)).tolist()
        [0, 1, 2]
    """

    def draw(self, log_frequency: Float64s, rng: np.random.Generator) -> Int64s:
        """Return all."""
        return np.arange(len(log_frequency), dtype=np.int64)

    def log_prob(self, log_frequency: Float64s, behaviors: int) -> Float64s:
        """Return zeros: every item is a negative."""
        return np.zeros(len(log_frequency))


def _log_met(log_frequency: Float64s, draws: int) -> Float64s:
    """Return the log probability that an item is drawn at least once in so many draws."""
    # an item of all rows has a frequency of 1, or more after rounding
    share = np.minimum(np.exp(log_frequency), 1 - 1e-12)
    met: Float64s = np.log(-np.expm1(draws * np.log1p(-share)))
    return met


def _at_least_one(negatives: object, count: int) -> int:
    if count < 1:
        raise ConfigError(
            f"{count} is too small",
            where=option_of(negatives, "count"),
            rule="1 or more",
            remedy="1000 is a start; BatchNegatives takes the batch's own items",
        )
    return count


class DrawnItems:
    """Draw negatives as codes of the catalogue.

    Args:
        negatives: How they are drawn.
        facts: Facts of the data.
        vocab_row: ``[I]`` int64, the row of each item of the catalogue among ``facts.item_ids``, from 1 (0: no training
            row).
    """

    def __init__(self, negatives: Negatives, facts: Facts, vocab_row: Int64s) -> None:
        self._negatives = negatives
        self._log_frequency = np.array(facts.item_log_frequency)
        # a checkpoint may be used on another catalogue: items that it lacks are not drawn
        code = np.full(len(facts.item_ids) + 1, -1, np.int64)
        code[vocab_row] = np.arange(len(vocab_row))
        self._code = code[1:]

    def draw(self, rng: np.random.Generator) -> Int64s:
        """Return distinct codes ``[S]``."""
        code = self._code[self._negatives.draw(self._log_frequency, rng)]
        return code[code >= 0]
