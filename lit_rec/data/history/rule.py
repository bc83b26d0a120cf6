"""The interface of a rule for histories, with and without an order of behaviors, and which behaviors count."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.history.sequences import BoundSequences
from lit_rec.data.history.windows import HistoryRows
from lit_rec.data.prepared import Prepared
from lit_rec.errors import ConfigError, option_of


@dataclass(frozen=True)
class Where:
    """Which behaviors count in a history.

    Args:
        events: Names of the events that count; null: all.
        min_rating: Smallest rating that counts; null: all, rows without a rating included.
        labels: Names of the labels that count, such as the label of clicks; null: all.

    Example:
        >>> import pathlib, tempfile, polars as pl
        >>> from lit_rec.data import prepared
        >>> from lit_rec.data.tables import tables
        >>> from lit_rec.data.texts import template as text_template
        >>> rows = pl.DataFrame({"user_id": "u", "item_id": ["a", "b", "c"], "row": range(3)})
        >>> rows = rows.with_columns(rating=pl.Series([5.0, 2.0, None]))
        >>> template = text_template.TextTemplate(["title"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     both = tables.Tables(rows, rows.select("item_id", title="item_id"))
        ...     prepared.prepare(both, pl.Series(["train"] * 3), template, pathlib.Path(folder))
        ...     Where(min_rating=4.0).mask(Prepared.open(pathlib.Path(folder))).tolist()
        [True, False, False]
    """

    events: Sequence[str] | None = None
    min_rating: float | None = None
    labels: Sequence[str] | None = None

    def mask(self, prepared: Prepared) -> Bools:
        """Return ``[R]`` bool.

        Raises:
            ConfigError: If an event or a label is not in the data.
        """
        mask = np.ones(len(prepared), bool)
        for column, wanted, codes, names in (
            ("event", self.events, prepared.event, prepared.events),
            ("label", self.labels, prepared.label, prepared.labels),
        ):
            if wanted is None:
                continue
            unknown = sorted(set(wanted) - set(names))
            if unknown:
                raise ConfigError(
                    f"{unknown} are not {column}s of this data, which has {names[:20]}",
                    where=option_of(self, f"{column}s"),
                    rule=f"names from the {column} column",
                    remedy="correct the names, or leave the option out to count every behavior",
                )
            mask &= np.isin(codes, [names.index(name) for name in wanted])
        if self.min_rating is not None:
            mask &= np.asarray(prepared.rating) >= self.min_rating
        return mask


class BoundHistory(ABC):
    """A history rule bound to one data set."""

    @abstractmethod
    def of(self, rows: Int64s, rng: np.random.Generator | None = None) -> HistoryRows:
        """Return the histories of ``rows`` ``[B]``.

        Args:
            rows: Rows of ``Prepared``.
            rng: Random generator in training; None: nothing is drawn, as in every evaluation.
        """


class History(ABC):
    """A rule for histories.

    Args:
        max_length: Longest history H; older behaviors are left out.
        where: Which behaviors count.

    Raises:
        ConfigError: If ``max_length`` is below 1.

    Example:
        >>> class NoHistory(History, BoundHistory):
        ...     def bind(self, prepared):
        ...         return self
        ...     def of(self, rows, rng=None):
        ...         none = np.zeros((len(rows), 1), np.int64)
        ...         return HistoryRows(none - 1, none, none > 0)
        >>> NoHistory(max_length=20, where=Where(events=["buy"])).where.events
        ['buy']
        >>> try:
        ...     NoHistory(max_length=0)
        ... except ConfigError as error:
        ...     print(error.where, error.problem)
        NoHistory.max_length 0 is too small
    """

    def __init__(self, max_length: int = 50, where: Where | None = None) -> None:
        if max_length < 1:
            raise ConfigError(
                f"{max_length} is too small",
                where=option_of(self, "max_length"),
                rule="1 or more",
                remedy="50 suits most data",
            )
        self.max_length = max_length
        self.where = where or Where()

    _target_events: Sequence[str] | None = None

    def predicting(self, events: Sequence[str] | None) -> Self:
        """Return the rule for next items of these events alone; the other behaviors that count are histories' only.

        Args:
            events: Their names; None: what counts is predicted.

        Raises:
            ConfigError: If ``where`` leaves out one of them.
        """
        left = sorted(set(events or ()) - set(self.where.events or events or ()))
        if left:
            raise ConfigError(
                f"{left} are predicted, but {option_of('Where', 'events')} leaves them out",
                where=option_of("BehaviorDataModule", "target_events"),
                rule="what is predicted counts in later histories",
                remedy=f"add them to {option_of('Where', 'events')}, or leave that option out",
            )
        rule = copy.copy(self)
        rule._target_events = events
        return rule

    @property
    def targets(self) -> Where:
        """Which behaviors are predicted, where the next item is: those that count, or some events of them."""
        if self._target_events is None:
            return self.where
        return replace(self.where, events=self._target_events)

    def takes(self, prepared: Prepared) -> Bools:
        """Return ``[R]`` bool: of which behaviors that count the item is seen, so that lists leave it out.

        A view does not make an item seen where purchases are predicted: it may still be bought. A behavior without an
        event does.
        """
        counts = self.where.mask(prepared)
        if self._target_events is None:
            return counts
        return self.targets.mask(prepared) | (counts & (np.asarray(prepared.event) < 0))

    @abstractmethod
    def bind(self, prepared: Prepared) -> BoundHistory:
        """Bind the rule to a data set."""

    def tells_labels(self, prepared: Prepared) -> bool:
        """Return whether labels in histories carry information: the training rows that count have several labels."""
        label = np.asarray(prepared.label)[self.where.mask(prepared) & (prepared.part == 0)]
        return len(np.unique(label[label >= 0])) > 1


class BoundOrderedHistory(BoundHistory):
    """An ordered rule bound to one data set."""

    @abstractmethod
    def seen(self, rows: Int64s) -> tuple[Int64s, Int64s]:
        """Return the items that were seen before ``rows`` ``[B]``, however long ago; see ``History.takes``.

        Returns:
            Increasing places in ``rows`` ``[S]``, and items ``[S]``. A history has the last ``max_length`` of these, if
            all that counts is seen; an item may repeat.
        """


class OrderedHistory(History):
    """A rule whose histories are in the order of time: the prediction of the next item needs it."""

    @abstractmethod
    def bind(self, prepared: Prepared) -> BoundOrderedHistory:
        """Bind the rule to a data set."""

    @abstractmethod
    def sequences(self, prepared: Prepared) -> BoundSequences:
        """Return the training rows as sequences, for a network that predicts what comes next at every position."""


def in_order(history: History) -> OrderedHistory:
    """Return the rule, after a check that its histories are ordered.

    Raises:
        ConfigError: If they are not.
    """
    if isinstance(history, OrderedHistory):
        return history
    raise ConfigError(
        f"{type(history).__name__} has no order of behaviors",
        where=type(history).__name__,
        rule="BehaviorDataModule.task next_item is trained on what came next: PastHistory, or GivenHistory",
        remedy="use PastHistory with a timestamp column or ordered: true in the reader",
    )
