"""SessionHead: how somebody rated minutes before and after."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.models.answers import RatingAnswers
from lit_rec.models.heads.value_heads import DotHead, beside, needs_target
from lit_rec.ranges import positive

_MINUTES = 24 * 60  # of a day


class SessionHead(DotHead):
    """Start + biases + inner product + how much higher than usual the user rated at about that time.

    The last is ``sum_h a_h r_h / (sum_h a_h + c)`` over the user's ratings, with ``r_h`` the deviation of a rating from
    mean, user and item bias, and ``a_h = exp(-|age in minutes| / m)``: people rate in sittings, and one page of items
    after another, so that what stands minutes apart has more in common than the user. A rating of unknown age tells
    nothing. It is the same for all candidates of a row, so it changes no order among them, and an index of vectors
    finds the best as without it.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        scale: Factor of the inner product at the start (learned).
        minutes: m at the start (learned).
        shrinkage: c, ratings that the level is shrunk by at the start (learned).

    Raises:
        ConfigError: If the data's task is not ``rating``, or ``minutes`` or ``shrinkage`` is not above 0.

    Reference:
        Koren 2009, Collaborative filtering with temporal dynamics, https://doi.org/10.1145/1557019.1557072, section 3.2
        (what is of one day alone in a user's bias).

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> facts = Facts.example()
        >>> seen = [Seen(0, 5.0, 0, 60.0, 0)]  # item 0, rated 5
        >>> batch = request_batch(seen, rows=np.array([1]), user_row=0, now=120.0)
        >>> head, user = SessionHead(facts, width=1, minutes=2.0, shrinkage=4.0), torch.zeros(1, 2)
        >>> mood = head.mood(user, torch.zeros(2, 2), batch).item()
        >>> round(mood, 3)  # a minute ago: 2 w / (w + 4) with w = exp(-1 / 2)
        0.263
    """

    def __init__(
        self,
        facts: Facts,
        width: int,
        scale: float = 1.0,
        minutes: float = 2.0,
        shrinkage: float = 4.0,
    ) -> None:
        needs_target(type(self).__name__, facts, RatingTarget)
        super().__init__(facts, width, scale)
        self.answers = RatingAnswers(facts)
        self.log_minutes = nn.Parameter(
            torch.tensor(positive("head.init_args.minutes", minutes)).log()
        )
        self.log_shrinkage = nn.Parameter(
            torch.tensor(positive("head.init_args.shrinkage", shrinkage)).log()
        )

    def mood(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return how much higher than usual the user rated at about the time ``[B]``."""
        history = batch.history
        told = self.answers.told(item_vectors, history, beside(users)[:, 0, -1:])
        unknown = history.age_days.isnan()
        minutes = history.age_days.nan_to_num(0.0).abs() * _MINUTES
        weights = torch.exp(-minutes / self.log_minutes.exp()).masked_fill(unknown, 0.0)
        sums = (weights.unsqueeze(-1) * told.parts).sum(1)  # [B, P]
        return self.answers.level(sums, self.log_shrinkage.exp())

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        scores: Tensor = super().forward(users, item_vectors, batch)
        return scores + self.mood(users, item_vectors, batch).unsqueeze(1)
