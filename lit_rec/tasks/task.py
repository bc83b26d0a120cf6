"""Task: all that depends on what is predicted, from the objective to the report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl
from torch import Tensor
from torchmetrics import Metric

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.errors import DataError
from lit_rec.evaluation.report.report import Report
from lit_rec.models.objectives.score import Objective


class Task(ABC):
    """What a run predicts. A new task is a class of this kind, registered with ``register_task``.

    What batches and Facts have to know of it is ``target``, a ``TargetRule`` with the task's name; one of lit_rec's, or
    a class derived from one, goes with the heads and objectives that there are for it.

    Class attributes:
        target: The rule for targets; its name is the task's.
        spoken: What is predicted, in the words of messages: "ratings".
        logged: Names of all that validation and test may log, without the stage.
        deciding: Of these, what decides by default which epoch is best: the first that is logged.
        errors: Those of ``logged`` of which less is better.
        list_length: How many items a list of ``predict`` has by default; None: ``predict`` scores rows.

    Example:
        >>> from lit_rec.tasks.registry import task_named
        >>> task_named("rating").logged, task_named("rating").deciding
        (('rmse', 'mae'), ('rmse',))
    """

    target: ClassVar[TargetRule]
    spoken: ClassVar[str]
    logged: ClassVar[Sequence[str]]
    deciding: ClassVar[Sequence[str]]
    errors: ClassVar[Sequence[str]] = ()
    list_length: ClassVar[int | None] = None

    @abstractmethod
    def default_objective(self, gives: str) -> Objective:
        """Return the plain objective.

        Args:
            gives: What the network gives, ``scores``, ``class_scores`` or ``vectors``.
        """

    @abstractmethod
    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return what a user is shown.

        Args:
            scores: ``[..., C]``, or ``[..., C, K]`` where the network gives class scores.
            facts: Facts of the data.
            gives: What the network gives.

        Returns:
            ``[..., C]``, or probabilities ``[..., C, K]``.
        """

    def judged(self, scores: Tensor, predicted: Tensor) -> Tensor:
        """Return what the loss of an evaluation is computed from: the scores, or what is shown of them."""
        return scores

    @abstractmethod
    def metrics(
        self, facts: Facts, data: BehaviorDataModule | None, part: str
    ) -> dict[str, Metric]:
        """Return what is logged of a part: some of ``logged``.

        They take predictions ``[n]`` or ``[n, K]``, or ranks ``[n, 2]``, targets ``[n]``, and those that ask for it as
        ``impression`` the numbers ``[n]`` of what was shown together.

        Args:
            facts: Facts that the network was built from.
            data: Knows the rows, where there is a Trainer.
            part: ``val`` or ``test``.
        """

    @abstractmethod
    def report(
        self,
        data: BehaviorDataModule,
        rows: Int64s,
        predicted: Float64s,
        vectors: Float64s | None,
    ) -> Report:
        """Fit baselines on the training rows and compare; rows without a target do not count.

        Args:
            data: The behaviors.
            rows: ``[R]`` rows of ``Prepared``.
            predicted: ``[R]`` or ``[R, K]`` predictions of them, or ``[R, 2]`` ranks.
            vectors: ``[I, D]``, the catalogue's texts by the encoder as it was before training; None: unreadable.
        """

    def columns(self, predicted: Float64s, facts: Facts) -> dict[str, pl.Series]:
        """Return the columns of predictions.parquet beside the ids.

        Args:
            predicted: ``[R]``, or ``[R, K]``.
            facts: Facts of the data.
        """
        return {"score": pl.Series(predicted)}

    def draw(  # noqa: B027  (a task may draw nothing)
        self, writer: Any, predicted: Float64s, true: np.ndarray[Any, Any], facts: Facts, step: int
    ) -> None:
        """Draw a validation's predictions for TensorBoard; nothing by default.

        Args:
            writer: TensorBoard's ``SummaryWriter``.
            predicted: ``[R]`` or ``[R, K]``, or ``[R, 2]`` ranks.
            true: ``[R]``, all of them known.
            facts: Facts of the data.
            step: Of the run.
        """

    def asked_label(self, label: str | None, facts: Facts) -> int | None:
        """Return the place of the label whose probability is asked for; None: the task has no labels.

        Args:
            label: Its name; of two labels, the positive one by default.
            facts: Facts of the data.

        Raises:
            DataError: If the label is none of the data's, or none is named of more than two, or the task has none.
        """
        if label is not None:
            rule = f"a model of {self.spoken} has no labels"
            raise wrong_label(label, rule, "leave it out")
        return None

    def sorting_and_shown(
        self, scores: Tensor, facts: Facts, gives: str, label: str | None
    ) -> tuple[Tensor, Tensor]:
        """Return what a list is sorted by, and what is shown of it, ``[..., C]`` each.

        Cut ratings and rounded probabilities tie, so lists are sorted by what is behind them.

        Args:
            scores: ``[..., C]``, or ``[..., C, K]`` where the network gives class scores.
            facts: Facts of the data.
            gives: What the network gives.
            label: Whose probability is asked for.

        Raises:
            DataError: As ``asked_label`` does.
        """
        self.asked_label(label, facts)
        return scores, self.predictions(scores, facts, gives)

    def falls_with_scores(self, label: str | None, facts: Facts) -> bool:
        """Return whether what a list is sorted by falls as scores ``[B, C]`` rise."""
        return False

    @abstractmethod
    def histogram(self, data: BehaviorDataModule) -> dict[str, Any]:
        """Return what ``check`` shows of the training rows' targets.

        Under ``histogram`` a list of bars ``{"value": name, "count": rows}``, and whatever else is told beside it.
        """

    def remarks(self, target: dict[str, Any]) -> Iterator[str]:
        """Yield what ``check`` warns of, one sentence each.

        Args:
            target: What ``histogram`` returned.
        """
        yield from ()


def wrong_label(label: str | None, rule: str, remedy: str) -> DataError:
    """Return the error of a label that cannot be asked for."""
    problem = "no label is named" if label is None else f"'{label}' is not usable"
    return DataError(problem, where="label", rule=rule, remedy=remedy)
