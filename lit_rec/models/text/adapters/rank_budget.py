"""RankBudget: which singular values of many products stay, by how much the loss depends on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import torch
from torch import Tensor

_ENDS = ("sensitivity", "uncertainty")


class Factors(NamedTuple):
    """A product of three trained matrices, ``left @ diag(values) @ right``.

    Shape:
        right: ``[R, in]``. values: ``[R, 1]``. left: ``[out, R]``.
    """

    right: Tensor
    values: Tensor
    left: Tensor


@dataclass(frozen=True)
class BudgetPlan:
    """How many singular values stay at each optimizer step: all, then ever fewer, then the last number.

    Args:
        first: Number at the beginning.
        last: Number at the end.
        begin: Step until which all stay.
        end: Step from which the last number stays, and the same ones.
        every: Steps from one choice to the next in between.

    Example:
        >>> plan = BudgetPlan(first=12, last=4, begin=2, end=10, every=4)
        >>> [plan.budget(step) for step in (1, 2, 6, 10, 11)]
        [12, 12, 5, 4, 4]
    """

    first: int
    last: int
    begin: int
    end: int
    every: int

    def budget(self, step: int) -> int:
        """Return the number after a step, counted from 1."""
        if step <= self.begin:
            return self.first
        left = max(0.0, 1 - (step - self.begin) / (self.end - self.begin))
        return int(self.last + (self.first - self.last) * left**3)

    def chooses(self, step: int) -> bool:
        """Return whether values are chosen after a step."""
        return step == self.end or (
            self.begin < step < self.end and (step - self.begin) % self.every == 0
        )


class RankBudget:
    """Set singular values to 0, more and more, where the loss depends on them least (AdaLoRA).

    The importance of a number is ``sensitivity * uncertainty``: moving averages of ``|number * gradient|``, and of how
    far that is from its average. The importance of a singular value is its own, plus the means of its two vectors'.
    Until the plan's end, a value that was set to 0 may grow again.

    Args:
        plan: How many stay.
        sensitivity: Decay of the first average.
        uncertainty: Decay of the second.

    Example:
        >>> numbers = [torch.nn.Parameter(torch.ones(shape)) for shape in ((2, 3), (2, 1), (3, 2))]
        >>> for number in numbers:
        ...     number.grad = torch.ones_like(number)
        >>> numbers[1].grad[0] = 3.0
        >>> parts = {"layer": Factors(*numbers)}
        >>> budget = RankBudget(BudgetPlan(first=2, last=1, begin=0, end=1, every=1))
        >>> budget.begin(parts)
        >>> budget.after_step(parts, 1)
        >>> numbers[1].flatten().tolist(), budget.left()
        ([1.0, 0.0], 1)
    """

    def __init__(
        self, plan: BudgetPlan, sensitivity: float = 0.85, uncertainty: float = 0.85
    ) -> None:
        self.plan, self._decays = plan, (sensitivity, uncertainty)
        self.state: dict[str, Tensor] = {}

    def begin(self, parts: Mapping[str, Factors]) -> None:
        """Set averages to 0; all values stay."""
        self.state = {}
        for name, factors in parts.items():
            for of, numbers in factors._asdict().items():
                self.state |= {f"{name}.{of}.{end}": torch.zeros_like(numbers) for end in _ENDS}
            values = factors.values.detach()
            self.state[f"{name}.stays"] = torch.ones_like(values, dtype=torch.bool)

    def left(self) -> int:
        """Return how many values stayed at the last choice."""
        return sum(int(held.sum()) for name, held in self.state.items() if name.endswith(".stays"))

    @torch.no_grad()
    def after_step(self, parts: Mapping[str, Factors], step: int) -> None:
        """Follow an optimizer step, whose gradients are still there, and whose numbers are new.

        Args:
            parts: Products by name.
            step: Its number, counted from 1.
        """
        if step <= self.plan.end:
            self._follow(parts)
        if self.plan.chooses(step):
            self._choose(parts, self.plan.budget(step))
        if step >= self.plan.end or self.plan.chooses(step):
            for name, factors in parts.items():
                factors.values.masked_fill_(~self.state[f"{name}.stays"], 0.0)

    def _follow(self, parts: Mapping[str, Factors]) -> None:
        found = {
            f"{name}.{of}": (numbers * numbers.grad).abs()
            for name, factors in parts.items()
            for of, numbers in factors._asdict().items()
            if numbers.grad is not None
        }
        # with float16, a step whose gradients overflow is left out
        sums = [numbers.sum() for numbers in found.values()]
        if not sums or not bool(torch.stack(sums).isfinite().all()):
            return
        for name, now in found.items():
            sensitivity, uncertainty = (self.state[f"{name}.{end}"] for end in _ENDS)
            sensitivity.mul_(self._decays[0]).add_(now, alpha=1 - self._decays[0])
            away = (now - sensitivity).abs()
            uncertainty.mul_(self._decays[1]).add_(away, alpha=1 - self._decays[1])

    def _choose(self, parts: Mapping[str, Factors], budget: int) -> None:
        found = {
            name: self._importance(f"{name}.values").flatten()
            + self._importance(f"{name}.right").mean(1)
            + self._importance(f"{name}.left").mean(0)
            for name in parts
        }
        # stable: processes choose alike also where values are equal
        order = torch.cat(list(found.values())).argsort(descending=True, stable=True)
        stays = torch.zeros_like(order, dtype=torch.bool)
        stays[order[:budget]] = True
        ends = list(accumulate(map(len, found.values())))[:-1]
        for name, held in zip(found, torch.tensor_split(stays, ends), strict=True):
            self.state[f"{name}.stays"] = held.unsqueeze(1).clone()

    def _importance(self, name: str) -> Tensor:
        sensitivity, uncertainty = (self.state[f"{name}.{end}"] for end in _ENDS)
        return sensitivity * uncertainty
