"""TargetRule: what is predicted for a row of behaviors, and what the training rows say about it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lit_rec.data.arrays import Bools, Float32s, Int64s
from lit_rec.data.history.rule import Where
from lit_rec.data.prepared import Prepared
from lit_rec.errors import DataError, option_of


class TargetRule(ABC):
    """A rule for targets: all that batches and Facts need to know about a task.

    ``name`` is the task's name in ``data.task``. ``follows`` says that the target is the row's own item, which comes
    after its history; histories then need an order. ``has_labels`` says that the target is a label.

    Example:
        >>> class HourTarget(TargetRule):
        ...     name = "hour"
        ...     def facts(self, prepared, train, labels, *, with_users):
        ...         none = {"labels": (), "label_counts": ()}
        ...         return {**none, "item_bias": None, "item_log_frequency": False}
        ...     def of_rows(self, prepared, labels, where=None):
        ...         return (prepared.timestamp // 3600 % 24).astype(np.float32)
        >>> HourTarget().start(rating_mean=3.5, label_counts=())
        0.0
        >>> HourTarget().known(np.array([4.0, np.nan], np.float32)).tolist()
        [True, False]
    """

    name: ClassVar[str]
    follows: ClassVar[bool] = False
    has_labels: ClassVar[bool] = False

    def training_rows(self, prepared: Prepared, where: Where | None) -> Int64s:
        """Return the rows that train.

        Args:
            prepared: The behaviors.
            where: Which behaviors count in histories.

        Raises:
            DataError: If no row can train by this rule.
        """
        return prepared.rows_of("train")

    @abstractmethod
    def facts(
        self, prepared: Prepared, train: Int64s, labels: Sequence[str] | None, *, with_users: bool
    ) -> dict[str, Any]:
        """Return the fields of ``Facts`` that depend on what is predicted.

        They are ``labels`` and ``label_counts``; ``item_bias``, one for every item of ``prepared``, or None; and
        ``item_log_frequency``, here only whether it is wanted.

        Args:
            prepared: The behaviors.
            train: ``[n]``, the rows that train.
            labels: Names of the labels in the order wanted, where the user gave it.
            with_users: Whether the rows have users who may occur again.

        Raises:
            DataError: If no training row has a target, or another row has a label that no training row has.
            ConfigError: If ``labels`` are not those of the training rows.
        """

    @abstractmethod
    def of_rows(
        self, prepared: Prepared, labels: Sequence[str], where: Where | None = None
    ) -> Float32s | Int64s:
        """Return the target of every row ``[R]``: a number, NaN where absent; or a place, -1 where absent.

        Args:
            prepared: The behaviors.
            labels: Names of the labels, in the order of ``Facts``.
            where: Which behaviors count.
        """

    def known(self, target: Float32s | Int64s) -> Bools:
        """Return ``[n]`` bool: which of the targets ``[n]`` are known."""
        there: Bools = ~np.isnan(target) if target.dtype.kind == "f" else target >= 0
        return there

    def start(self, rating_mean: float, label_counts: Sequence[int]) -> float:
        """Return the score before anything is learned."""
        return 0.0

    def liked_rating(self, rating_high: float) -> float:
        """Return the rating of an item that a user liked without rating it; NaN: none."""
        return math.nan


def nothing_to_predict(column: str, *, elsewhere: bool) -> DataError:
    """Return the error for training rows without any target.

    Args:
        column: The column of the targets.
        elsewhere: Whether other rows have one.
    """
    give = f"give training rows a {column}, or split in another way"
    mapped = f"map the column with behavior_columns: {{{column}: NAME}}"
    return DataError(
        f"no training row has a {column}",
        where=option_of("BehaviorDataModule", "reader"),
        rule=f"{column}s are predicted, so training rows have them",
        remedy=give
        if elsewhere
        else f"{mapped}, or predict something else ({option_of('BehaviorDataModule', 'task')})",
    )
