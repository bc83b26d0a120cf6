"""What a rule for histories is, with and without an order of behaviors."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.history.rows import HistoryRows
from lit_rec.data.history.sequences import BoundSequences
from lit_rec.data.history.where import Where
from lit_rec.data.prepared import Prepared
from lit_rec.errors import ConfigError, option_of


class BoundHistory(ABC):
    """A history rule bound to one data set."""

    @abstractmethod
    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> HistoryRows:
        """Return the histories of ``rows`` ``[B]``.

        Args:
            rows: Rows of ``Prepared``.
            rng: Source of chance while training; None: no chance, as for every evaluation.
        """


class History(ABC):
    """A rule for histories.

    Args:
        max_length: Longest history H; the newest behaviors are kept.
        where: Which behaviors count.

    Raises:
        ConfigError: If ``max_length`` is below 1.

    Example:
        >>> from lit_rec.data.history.histories import PastHistory
        >>> PastHistory(max_length=20, where=Where(events=["buy"])).where.events
        ['buy']
        >>> try:
        ...     PastHistory(max_length=0)
        ... except ConfigError as error:
        ...     print(error.where, error.problem)
        PastHistory.max_length 0 is too small
    """

    def __init__(self, max_length: int = 50, where: Where | None = None) -> None:
        if max_length < 1:
            raise ConfigError(
                f"{max_length} is too small",
                where=option_of(self, "max_length"),
                rule="1 or more",
                remedy="50 suits most data; a model without history is not a recommender",
            )
        self.max_length = max_length
        self.where = where or Where()

    @abstractmethod
    def bind(self, prepared: Prepared) -> BoundHistory:
        """Bind the rule to a data set."""

    def tells_labels(self, prepared: Prepared) -> bool:
        """Return whether the label of a behavior in a history says something.

        It does where not all training rows that count have the same label.
        """
        label = np.asarray(prepared.label)[self.where.mask(prepared) & (prepared.part == 0)]
        return len(np.unique(label[label >= 0])) > 1


class BoundOrderedHistory(BoundHistory):
    """An ordered rule bound to one data set."""

    @abstractmethod
    def seen(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        """Return what counts before ``rows`` ``[B]``, however long ago.

        That is places in ``rows``, increasing, and the items of each, ``[S]``. A history ends with them,
        cut to ``max_length``; an item that was taken twice is there twice.
        """


class OrderedHistory(History):
    """A rule whose histories say what followed what, as whoever predicts the next item needs it."""

    @abstractmethod
    def bind(self, prepared: Prepared) -> BoundOrderedHistory:
        """Bind the rule to a data set."""

    @abstractmethod
    def sequences(self, prepared: Prepared) -> BoundSequences:
        """Return the training rows as sequences, for a network that predicts what comes next at every position."""


def in_order(history: History) -> OrderedHistory:
    """Return a rule that has an order.

    Raises:
        ConfigError: If it has none.
    """
    if isinstance(history, OrderedHistory):
        return history
    raise ConfigError(
        f"{type(history).__name__} has no order of behaviors",
        where=type(history).__name__,
        rule="BehaviorDataModule.task next_item is trained on what came next: PastHistory, or GivenHistory",
        remedy="use PastHistory with a timestamp column or ordered: true in the reader",
    )
