"""Residuals of a user's earlier answers (ratings or labels): answer minus what was expected of item and user."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from lit_rec.data.batches.batch import HistorySlots
from lit_rec.data.facts import Facts


@dataclass(frozen=True)
class Residuals:
    """The residuals of the answers in each row's history.

    Shape:
        residual: ``[B, H]``, answer minus expectation, 0 where there is no answer. known: ``[B, H]`` bool, where there
            is one.
        parts: ``[B, H, P]``, which ``level`` takes after a sum over the history; 0 where there is no answer.
    """

    residual: Tensor
    known: Tensor
    parts: Tensor


class Answers(ABC):
    """How answers are read; ``spread`` is the size of an ordinary residual."""

    spread: float

    @abstractmethod
    def residuals(
        self, item_vectors: Tensor, history: HistorySlots, user_bias: Tensor | float = 0.0
    ) -> Residuals:
        """Return the residuals of the answers, given the items' biases and the user's.

        Args:
            item_vectors: ``[N, D]``, the last coordinate the item's bias.
            history: The slots; H of them.
            user_bias: ``[B, 1]``.
        """

    def beyond_user(
        self, item_vectors: Tensor, history: HistorySlots, shrinkage: Tensor
    ) -> tuple[Tensor, Residuals]:
        """Return each user's bias ``[B]``, the level of all their answers, and the residuals given that bias, too.

        Args:
            item_vectors: ``[N, D]``, the last coordinate the item's bias.
            history: The slots; H of them.
            shrinkage: Answers that the bias is shrunk by.
        """
        residuals = self.residuals(item_vectors, history)
        bias = self.level(residuals.parts.sum(1), shrinkage)
        return bias, self.residuals(item_vectors, history, bias.unsqueeze(1))

    @abstractmethod
    def level(self, sums: Tensor, shrinkage: Tensor) -> Tensor:
        """Return by how much the answers lie above expectation, in units of scores, shrunk towards 0.

        Args:
            sums: ``[..., P]``, weighted sums of ``Residuals.parts``.
            shrinkage: How many answers of no residual are added; above 0, in units of the weights.
        """


class RatingAnswers(Answers):
    """Ratings: the residual is rating minus mean and biases, the level is a shrunk mean of residuals.

    Args:
        facts: Facts of the data.
    """

    def __init__(self, facts: Facts) -> None:
        self.mean = facts.rating_mean
        self.spread = max(facts.rating_high - facts.rating_low, 1e-6) / 4

    def residuals(
        self, item_vectors: Tensor, history: HistorySlots, user_bias: Tensor | float = 0.0
    ) -> Residuals:
        """Return the residuals; a behavior without a rating has none."""
        known = history.mask & ~torch.isnan(history.rating)
        bias = item_vectors[:, -1][history.item_index]  # [B, H]
        residual = torch.where(known, history.rating - self.mean - bias - user_bias, 0.0)
        return Residuals(residual, known, torch.stack([residual, known.to(residual.dtype)], -1))

    def level(self, sums: Tensor, shrinkage: Tensor) -> Tensor:
        """Return ``sum r / (n + c)``."""
        return sums[..., 0] / (sums[..., 1] + shrinkage)


class LabelAnswers(Answers):
    """Two labels: the residual is 1 or 0 minus the probability that the biases give.

    The level is a log odds ratio: ``log (Y + cp) / (E + cp) - log (n - Y + cq) / (n - E + cq)``. Y of n answers are
    positive, and E were expected. c answers are added, distributed by the base rate p = 1 - q. One click where clicks
    are rare counts much, one missing click little.

    Args:
        facts: Facts of the data.
    """

    def __init__(self, facts: Facts) -> None:
        self.start = facts.score_start
        self.rate = float(torch.sigmoid(torch.tensor(self.start)))
        self.spread = (self.rate * (1 - self.rate)) ** 0.5

    def residuals(
        self, item_vectors: Tensor, history: HistorySlots, user_bias: Tensor | float = 0.0
    ) -> Residuals:
        """Return the residuals; a behavior without a label has none."""
        known = history.mask & (history.label > 0)
        positive = (history.label == 2).to(item_vectors.dtype)  # 1 + the place among the labels
        bias = item_vectors[:, -1][history.item_index]  # [B, H]
        expected = torch.where(known, torch.sigmoid(self.start + bias + user_bias), 0.0)
        parts = torch.stack([positive * known, expected, known.to(expected.dtype)], -1)
        return Residuals(parts[..., 0] - expected, known, parts)

    def level(self, sums: Tensor, shrinkage: Tensor) -> Tensor:
        """Return the shrunk log odds ratio."""
        positive, expected, count = sums.unbind(-1)
        up, down = shrinkage * self.rate, shrinkage * (1 - self.rate)
        more = torch.log((positive + up) / (expected + up))
        # rounding may leave a sum of probabilities above their number
        fewer = torch.log(
            ((count - positive).clamp(min=0) + down) / ((count - expected).clamp(min=0) + down)
        )
        return more - fewer


class CountedBehaviors(Answers):
    """Behaviors without an answer, such as in a history of clicks alone: each counts as one."""

    spread = 1.0

    def residuals(
        self, item_vectors: Tensor, history: HistorySlots, user_bias: Tensor | float = 0.0
    ) -> Residuals:
        """Return 1 for each behavior."""
        done = history.mask.to(item_vectors.dtype)
        return Residuals(done, history.mask, done.unsqueeze(-1))

    def level(self, sums: Tensor, shrinkage: Tensor) -> Tensor:
        """Return ``n / (n + c)``."""
        return sums[..., 0] / (sums[..., 0] + shrinkage)


def answers_of(facts: Facts) -> Answers:
    """Return the answers to read: labels where the data has two and histories hold them, else ratings."""
    labelled = facts.history_labels and len(facts.labels) == 2
    return LabelAnswers(facts) if labelled else RatingAnswers(facts)
