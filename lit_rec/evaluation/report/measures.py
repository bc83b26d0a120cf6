"""Measures: the metrics that compare models, on the rows of a slice."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools, Float64s
from lit_rec.evaluation.report.intervals import Drawn, bootstrap_means

DIFFERENCE = "_difference"  # the end of a metric's name that compares a model with the first


@dataclass(frozen=True)
class Figure:
    """One metric of M models on one slice.

    Shape:
        value: ``[M]``, NaN where a model has none. draws: ``[M, draws]``, None if nothing can be drawn.
        count: rows, or impressions, that were measured.
    """

    value: Float64s
    draws: Float64s | None
    count: int

    def map(self, change: Callable[[Float64s], Float64s]) -> Figure:
        """Return the figure with ``change`` applied to ``[M]`` and to ``[M, draws]`` alike."""
        draws = None if self.draws is None else change(self.draws)
        return Figure(change(self.value), draws, self.count)


class Measures(ABC):
    """The metrics of one kind, bound to the predictions of M models for R rows."""

    @abstractmethod
    def on(self, mask: Bools, drawn: Drawn) -> dict[str, Figure]:
        """Return the figures of a slice by the metric's name, the same names for every slice.

        A name that ends with ``_difference`` compares each model with the first: above 0 the first is better.

        Args:
            mask: ``[R]``, the rows of the slice, n of them; there may be none.
            drawn: The draws for intervals, for the n rows.
        """


def mean_figure(losses: Float64s, drawn: Drawn) -> Figure:
    """Return the mean of each model's ``losses`` ``[M, n]``, with its draws."""
    models, count = losses.shape
    if not count:
        return Figure(np.full(models, np.nan), None, 0)
    draws = bootstrap_means(losses, drawn) if drawn.is_possible else None
    return Figure(losses.mean(1), draws, count)
