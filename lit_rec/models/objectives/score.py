"""Objectives: what training minimises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from lit_rec.data.batches.batch import RecBatch, Target
from lit_rec.data.facts import Facts
from lit_rec.data.targets.label import LabelTarget
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.objectives.disagreement import binary_divergence, divergence
from lit_rec.ranges import share


@dataclass(frozen=True)
class TextScores:
    """Scores of texts, and the vectors that they are from.

    Shape:
        scores: ``[B, C]``, or ``[B, C, K]`` for class scores. vectors: ``[B, D]``.
    """

    scores: Tensor
    vectors: Tensor


class Objective(nn.Module, ABC):
    """A loss as a sum and a count, so that batches count by their number of targets.

    ``predicts`` is the kind of target it trains for. ``consumes`` is its input: ``scores``, ``class_scores`` with one
    per label, or ``vectors`` of users and items.

    Example:
        >>> facts = Facts.example()
        >>> try:
        ...     SquaredError().bind(facts, gives="class_scores")
        ... except ConfigError as error:
        ...     print(error.problem)
        SquaredError takes scores, the network gives class_scores
    """

    predicts: ClassVar[type[TargetRule]]
    consumes: ClassVar[str]

    @abstractmethod
    def losses_of(self, outputs: Any, batch: RecBatch) -> tuple[Tensor, Tensor]:
        """Return the sum of a training batch's losses and their number.

        Args:
            outputs: From ``Network.training_outputs`` for the batch, as ``consumes`` says.
            batch: The rows.
        """

    def disagreement(self, one: Any, two: Any, batch: RecBatch) -> Tensor:
        """Return how far two passes over a batch differ in what they predict, as a mean over its targets ``[]``.

        Args:
            one: From ``Network.training_outputs`` for the batch.
            two: The same, of another pass.
            batch: The rows.

        Raises:
            ConfigError: If the class does not say it; objectives of scores and of ranking do.
        """
        raise ConfigError(
            f"{type(self).__name__} does not say how far two predictions differ",
            where=option_of("LitRec", "r_drop"),
            rule="an objective of scores or of ranking, or one with a method disagreement",
            remedy="set LitRec.r_drop to 0, or write the method",
        )

    @property
    def rows_per_label(self) -> int:
        """How many rows of one label stand together in the order of an epoch; 1: the order is random."""
        return 1

    def bind_network(self, network: str, *, has_text_vectors: bool) -> None:
        """Check that a network has what the objective compares; here it needs scores alone.

        Args:
            network: Its name.
            has_text_vectors: Whether its ``training_outputs`` are ``TextScores``.

        Raises:
            ConfigError: If it has not.
        """

    def bind(self, facts: Facts, gives: str) -> None:
        """Check the data and the network, and take what is needed from Facts; once, when the network is built.

        Args:
            facts: Facts of the data.
            gives: What the network gives: ``scores``, ``class_scores`` or ``vectors``.

        Raises:
            ConfigError: If data or network are of another kind, or the class does not say what it is for.
        """
        name = type(self).__name__
        if not hasattr(self, "predicts") or not hasattr(self, "consumes"):
            raise ConfigError(
                f"{name} does not say what it trains for, or what it takes",
                where=name,
                rule="predicts: the rule for targets; consumes: scores, class_scores or vectors",
                remedy='write in the class, for ratings: predicts, consumes = RatingTarget, "scores"',
            )
        if not isinstance(facts.target, self.predicts):
            asked = _spoken(facts.task)
            raise ConfigError(
                f"{name} trains for a {_spoken(self.predicts.name)}, the data asks for a {asked}",
                where=name,
                rule="an objective of the task that BehaviorDataModule.task names",
                remedy="SquaredError for ratings; BinaryCrossEntropy or CrossEntropy for labels; "
                "ItemSoftmax or BPR for the next item",
            )
        if gives != self.consumes:
            raise ConfigError(
                f"{name} takes {self.consumes}, the network gives {gives}",
                where=name,
                rule="scores: one per candidate; class_scores: one per candidate and label; "
                "vectors: of users and of items",
                remedy="CrossEntropy goes with ClassificationHead and LinearHead, "
                "BinaryCrossEntropy with DotHead and MLPHead, "
                "ItemSoftmax and BPR with CosineHead and InnerProductHead",
            )


class ScoreObjective(Objective):
    """A loss of the scores of a batch's candidates.

    Shape:
        scores ``[B, C]``, or ``[B, C, K]`` for class scores; target ``[B, C]`` -> sum ``[]``, count ``[]``.

    Example:
        >>> class AbsoluteError(ScoreObjective):
        ...     predicts, consumes = RatingTarget, "scores"
        ...     def forward(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        ...         return ((scores - target.value).abs() * target.mask).sum(), target.mask.sum()
        >>> target = Target(torch.tensor([[3.0, 0.0]]), torch.tensor([[True, False]]))
        >>> AbsoluteError()(torch.tensor([[5.0, 9.0]]), target)
        (tensor(2.), tensor(1))
    """

    def losses_of(self, outputs: Tensor | TextScores, batch: RecBatch) -> tuple[Tensor, Tensor]:
        """Return the sum of the losses of scores ``[B, C]`` or ``[B, C, K]``, and their number."""
        scores = outputs.scores if isinstance(outputs, TextScores) else outputs
        found: tuple[Tensor, Tensor] = self(scores, batch.target)
        return found

    def disagreement(
        self, one: Tensor | TextScores, two: Tensor | TextScores, batch: RecBatch
    ) -> Tensor:
        """Return the mean divergence of labels, or the mean squared difference of ratings."""
        known = batch.target.mask
        a, b = (
            (each.scores if isinstance(each, TextScores) else each)[known] for each in (one, two)
        )
        if self.consumes == "class_scores":
            differs = divergence(a, b)
        elif issubclass(self.predicts, LabelTarget):
            differs = binary_divergence(a, b)
        else:
            differs = (a - b).square()
        return differs.sum() / known.sum().clamp(min=1)

    @abstractmethod
    def forward(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Return the sum of the losses and their number."""


class SquaredError(ScoreObjective):
    """Squared error of ratings, L = sum (p - y)^2; rows without a rating do not count.

    Example:
        >>> import torch
        >>> target = Target(torch.tensor([[3.0, 0.0]]), torch.tensor([[True, False]]))
        >>> SquaredError()(torch.tensor([[5.0, 9.0]]), target)
        (tensor(4.), tensor(1))
    """

    predicts = RatingTarget
    consumes = "scores"

    def forward(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Return the sum of squared errors and the number of ratings."""
        error = (scores - target.value) * target.mask
        return error.square().sum(), target.mask.sum()


class BinaryCrossEntropy(ScoreObjective):
    """Cross-entropy of two labels, such as clicked or not; a score is the logit of the second.

    Args:
        label_smoothing: Share of the probability that is spread evenly over both labels.

    Raises:
        ConfigError: If ``label_smoothing`` is not from 0 to 1.

    Reference:
        Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, section 7 (smoothing).

    Example:
        >>> import torch
        >>> target = Target(torch.tensor([[1, 0]]), torch.tensor([[True, True]]))
        >>> BinaryCrossEntropy()(torch.tensor([[0.0, 0.0]]), target)
        (tensor(1.3863), tensor(2))
    """

    predicts = LabelTarget
    consumes = "scores"

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = share(self, "label_smoothing", label_smoothing)

    def bind(self, facts: Facts, gives: str) -> None:
        """Check that there are two labels.

        Raises:
            ConfigError: If there are more, or data or network are of another kind.
        """
        super().bind(facts, gives)
        if len(facts.labels) != 2:
            raise ConfigError(
                f"BinaryCrossEntropy, but the data has {len(facts.labels)} labels: {', '.join(facts.labels[:8])}",
                where=type(self).__name__,
                rule="two labels",
                remedy="use CrossEntropy with ClassificationHead",
            )

    def forward(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Return the sum of the cross-entropies and the number of labels."""
        value = target.value.to(scores.dtype)
        if self.label_smoothing:
            value = torch.lerp(value, torch.full_like(value, 0.5), self.label_smoothing)
        loss = functional.binary_cross_entropy_with_logits(scores, value, reduction="none")
        return (loss * target.mask).sum(), target.mask.sum()


class CrossEntropy(ScoreObjective):
    """Cross-entropy of K labels.

    Args:
        class_weights: Weight of each label, in the order of ``Facts.labels``; ``balanced``: rows / (K * rows of the
            label); null: all 1. The loss is then a weighted mean.
        label_smoothing: Share of the probability that is spread over all labels.

    Raises:
        ConfigError: If ``label_smoothing`` is not from 0 to 1, or a weight is negative.

    Reference:
        Szegedy et al. 2016, Rethinking the Inception architecture, https://arxiv.org/abs/1512.00567, section 7
        (smoothing).

    Example:
        >>> import torch
        >>> target = Target(torch.tensor([[2]]), torch.tensor([[True]]))
        >>> CrossEntropy()(torch.zeros(1, 1, 4), target)
        (tensor(1.3863), tensor(1.))
    """

    predicts = LabelTarget
    consumes = "class_scores"
    weight: Tensor | None

    def __init__(
        self,
        class_weights: Literal["balanced"] | Sequence[float] | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.class_weights = class_weights
        self.label_smoothing = share(self, "label_smoothing", label_smoothing)
        self.register_buffer("weight", None, persistent=False)
        if isinstance(class_weights, Sequence) and not isinstance(class_weights, str):
            if not all(w >= 0 for w in class_weights) or not any(class_weights):
                raise _wrong_weights(class_weights, "0 or more each, and not all 0")
            self.weight = torch.tensor([float(w) for w in class_weights])

    def bind(self, facts: Facts, gives: str) -> None:
        """Find the weights.

        Raises:
            ConfigError: If there are not as many weights as labels, or data or network are of another kind.
        """
        super().bind(facts, gives)
        if self.class_weights == "balanced":
            counts = torch.tensor(facts.label_counts, dtype=torch.float32)
            self.weight = counts.sum() / (len(counts) * counts)
        elif self.weight is not None and len(self.weight) != len(facts.labels):
            raise _wrong_weights(
                self.weight.tolist(), f"one for each of {len(facts.labels)} labels: {facts.labels}"
            )

    def forward(self, scores: Tensor, target: Target) -> tuple[Tensor, Tensor]:
        """Return the weighted sum of the cross-entropies and the sum of the weights."""
        logits, value = scores[target.mask], target.value[target.mask]
        weight = self.weight if self.weight is None else self.weight.to(scores.device)
        loss = functional.cross_entropy(
            logits, value, weight, reduction="sum", label_smoothing=self.label_smoothing
        )
        weighed = scores.new_ones(len(value)) if weight is None else weight[value]
        return loss, weighed.sum()


def _wrong_weights(weights: Sequence[float], rule: str) -> ConfigError:
    return ConfigError(
        f"{list(weights)} cannot be used",
        where=option_of(CrossEntropy, "class_weights"),
        rule=rule,
        remedy="correct the weights, or write balanced",
    )


def _spoken(task: str) -> str:
    return task.replace("_", " ")
