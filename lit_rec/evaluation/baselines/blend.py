"""blend: several baselines of ratings, added up by weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows, RatingTrial
from lit_rec.evaluation.baselines.ratings import Baseline, HistoryBiasBaseline

_PENALTY = 10.0


class BlendBaseline(Baseline):
    """Biases + the weighted sum of what other baselines add to them.

    The weights are a ridge regression (penalty 10) of what ``history_bias`` leaves of the trial's held-out rows, on
    what each part, fitted on the rest, adds to it. Without held-out rows, each part has the same weight.

    Args:
        biases: What the parts add to.
        parts: Baselines that are fitted, on the same trial, before this one.
        trial: Whose held-out rows decide.

    Reference:
        Jahrer, Toscher & Legenstein 2010, Combining predictions for accurate recommender systems,
        https://doi.org/10.1145/1835804.1835893.

    Example:
        >>> from lit_rec.evaluation.baselines.clock import ClockBaseline
        >>> train = RatingRows(user=np.array([0]), item=np.array([0]), rating=np.array([3.0]))
        >>> biases, clock = HistoryBiasBaseline(), ClockBaseline()
        >>> blend = BlendBaseline(biases, [clock], trial=None)
        >>> for baseline in (biases, clock, blend):
        ...     baseline.fit(train, num_users=1, num_items=1)
        >>> blend.weights.tolist()
        [1.0]
    """

    name = "blend"

    def __init__(
        self, biases: HistoryBiasBaseline, parts: Sequence[Baseline], trial: RatingTrial | None
    ) -> None:
        self.biases, self.parts, self.trial = biases, parts, trial

    def fit(self, train: RatingRows, num_users: int, num_items: int) -> None:
        """Choose the weights; biases and parts are fitted already."""
        count = len(self.parts)
        self.weights: Float64s = np.full(count, 1 / count)
        if self.trial is not None and len(self.trial.held.rating):
            base = self.biases.held_prediction
            added = np.stack([part.held_prediction - base for part in self.parts])
            gram = added @ added.T + _PENALTY * np.eye(count)
            left = self.trial.held.rating - base
            self.weights = np.linalg.solve(gram, added @ left).astype(np.float64)

    def predict(self, user: Int64s, item: Int64s, history: RaggedHistory) -> Float64s:
        """Return the ratings."""
        base = self.biases.predict(user, item, history)
        added = [part.predict(user, item, history) - base for part in self.parts]
        rating: Float64s = base + self.weights @ np.stack(added)
        return rating

    def chosen(self) -> dict[str, Any]:
        """Return the weight of each part."""
        names = (part.name for part in self.parts)
        return {"weights": dict(zip(names, self.weights.round(4).tolist(), strict=True))}


class ClockBlendBaseline(BlendBaseline):
    """The same, with ``clock`` among the parts: what a sceptic picks where histories look at both sides in time.

    Example:
        >>> ClockBlendBaseline(HistoryBiasBaseline(), [], trial=None).name
        'clock_blend'
    """

    name = "clock_blend"
