"""Task: all that depends on what is predicted, from the objective to the report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.facts import Facts
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.errors import DataError
from lit_rec.evaluation.report.report import Report
from lit_rec.models.objectives.score import Objective

if TYPE_CHECKING:
    from torchmetrics import Metric

    from lit_rec.data.datamodule import BehaviorDataModule

SPACES = Path(__file__).parent / "spaces"  # of the tasks of lit_rec


class Task(ABC):
    """What a run predicts. A new task is a subclass that is registered with ``register_task``.

    Batches and Facts use its ``target``, a ``TargetRule`` with the task's name. With a rule of lit_rec, or a subclass
    of one, the task can use the heads and objectives for that rule.

    Class attributes:
        target: The rule for targets; its name is the task's.
        spoken: What is predicted, as messages name it: "ratings".
        logged: Names of all metrics that validation and test may log, without the stage.
        deciding: Metrics that decide by default which epoch is best: the first of them that is logged.
        errors: Metrics of ``logged`` for which smaller is better.
        clips: Whether predictions are clipped to a range, so that several items of a list may look equal.
        space: YAML of the options that ``lit-rec tune`` searches by default; None: it asks for ``--space``.
        list_length: Default number of items in a list of ``predict``; None: ``predict`` scores rows.
    """

    target: ClassVar[TargetRule]
    spoken: ClassVar[str]
    logged: ClassVar[Sequence[str]]
    deciding: ClassVar[Sequence[str]]
    errors: ClassVar[Sequence[str]] = ()
    clips: ClassVar[bool] = False
    space: ClassVar[Path | None] = None
    list_length: ClassVar[int | None] = None

    @abstractmethod
    def default_objective(self, gives: str) -> Objective:
        """Return the default objective.

        Args:
            gives: The network's kind of output: ``scores``, ``class_scores`` or ``vectors``.
        """

    @abstractmethod
    def predictions(self, scores: Tensor, facts: Facts, gives: str) -> Tensor:
        """Return the predictions as a user sees them.

        Args:
            scores: ``[..., C]``, or ``[..., C, K]`` if the network gives class scores.
            facts: Facts of the data.
            gives: The network's kind of output.

        Returns:
            ``[..., C]``, or probabilities ``[..., C, K]``.
        """

    def judged(self, scores: Tensor, predicted: Tensor) -> Tensor:
        """Return the input of an evaluation's loss: the scores, or the predictions."""
        return scores

    @abstractmethod
    def metrics(
        self, facts: Facts, data: BehaviorDataModule | None, part: str
    ) -> dict[str, Metric]:
        """Return the metrics that are logged for a part, by names from ``logged``.

        Their inputs are predictions ``[n]`` or ``[n, K]``, or ranks ``[n, 2]``, and targets ``[n]``. A metric whose
        ``update`` has a parameter ``impression`` also gets the numbers ``[n]`` of impressions.

        Args:
            facts: Facts that the network was built from.
            data: The data, if there is a Trainer.
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
            vectors: ``[I, D]`` text vectors of the catalogue by the encoder before training; None: it cannot be loaded.
        """

    def columns(self, predicted: Float64s, facts: Facts) -> dict[str, pl.Series]:
        """Return the columns of predictions.parquet apart from the ids.

        Args:
            predicted: ``[R]``, or ``[R, K]``.
            facts: Facts of the data.
        """
        return {"score": pl.Series(predicted)}

    def draw(  # noqa: B027  (a task may draw nothing)
        self, writer: Any, predicted: Float64s, true: np.ndarray[Any, Any], facts: Facts, step: int
    ) -> None:
        """Draw the predictions of a validation in TensorBoard; draws nothing by default.

        Args:
            writer: TensorBoard's ``SummaryWriter``.
            predicted: ``[R]`` or ``[R, K]``, or ``[R, 2]`` ranks.
            true: ``[R]``, all of them known.
            facts: Facts of the data.
            step: The run's step.
        """

    def asked_label(self, label: str | None, facts: Facts) -> int | None:
        """Return the index of the label whose probability is asked for; None: the task has no labels.

        Args:
            label: Its name; for two labels the default is the positive one.
            facts: Facts of the data.

        Raises:
            DataError: If the data has no such label, none is named for more than two labels, or the task has no labels.
        """
        if label is not None:
            rule = f"a model of {self.spoken} has no labels"
            raise wrong_label(label, rule, remedy="leave it out")
        return None

    def sorting_and_shown(
        self, scores: Tensor, facts: Facts, gives: str, label: str | None
    ) -> tuple[Tensor, Tensor]:
        """Return sort keys of a list, and the values that are shown, ``[..., C]`` each.

        Clipped ratings and rounded probabilities have ties, so lists are sorted by the scores behind them.

        Args:
            scores: ``[..., C]``, or ``[..., C, K]`` if the network gives class scores.
            facts: Facts of the data.
            gives: The network's kind of output.
            label: Whose probability is asked for.

        Raises:
            DataError: As ``asked_label`` does.
        """
        self.asked_label(label, facts)
        return scores, self.predictions(scores, facts, gives)

    def score_meaning(self, facts: Facts, label: str | None = None) -> str:
        """Return in a few words what the score of a list is, for the reader of a list.

        Args:
            facts: Facts of the data.
            label: Whose probability is asked for.

        Raises:
            DataError: As ``asked_label`` does.
        """
        self.asked_label(label, facts)
        return "score, higher is better"

    def falls_with_scores(self, label: str | None, facts: Facts) -> bool:
        """Return whether the sort keys of a list fall as the scores ``[B, C]`` rise."""
        return False

    @abstractmethod
    def histogram(self, data: BehaviorDataModule) -> dict[str, Any]:
        """Return what ``check`` shows about the training rows' targets.

        ``histogram`` is a list of bars ``{"value": name, "count": rows}``; other entries may be added.
        """

    def remarks(self, target: dict[str, Any]) -> Iterator[str]:
        """Yield the warnings of ``check``, one sentence each.

        Args:
            target: The result of ``histogram``.
        """
        yield from ()


def wrong_label(label: str | None, rule: str, *, remedy: str) -> DataError:
    """Return the error for a label that cannot be asked for."""
    problem = "no label is named" if label is None else f"'{label}' is not usable"
    return DataError(problem, where="label", rule=rule, remedy=remedy)
