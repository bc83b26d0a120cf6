"""LossMeasures: compares models by the loss of each row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lit_rec.data.arrays import Bools, Float64s
from lit_rec.evaluation.report.intervals import Drawn
from lit_rec.evaluation.report.measures import Figure, Measures, mean_figure


class LossMeasures(Measures):
    """``loss``, the mean.

    Args:
        losses: ``[R]`` of each of M models.
    """

    def __init__(self, losses: Sequence[Float64s]) -> None:
        self._losses = np.stack(losses)  # [M, R]

    def on(self, mask: Bools, drawn: Drawn) -> dict[str, Figure]:
        """Return the figures."""
        return {"loss": mean_figure(self._losses[:, mask], drawn)}
