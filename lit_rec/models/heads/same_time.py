"""Heads that use what else the user rated at about the same time: OccasionNeighborhoodHead and SessionHead.

They are examples of a head of your own, and import only what such a head can import. The first adds a term to
``NeighborhoodHead``, the second to ``DotHead``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.models.answers import RatingAnswers, Residuals
from lit_rec.models.heads.head import beside
from lit_rec.models.heads.neighborhood import Kernel, NeighborhoodHead
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.requirements import needs_target
from lit_rec.ranges import positive

_SECONDS, _MINUTES = 24 * 60 * 60, 24 * 60  # of a day


class OccasionNeighborhoodHead(NeighborhoodHead):
    """``NeighborhoodHead`` with a second neighbourhood: the behaviors of the candidate's occasion.

    An occasion is, for example, a page of films rated within seconds. People rate in sittings, and their ratings of one
    sitting are alike. The second term has the form of the first, ``sum_h a_h r_h / (sum_h a_h + c)`` with
    ``a_h = exp(s (cos(W k_i, W k_h) - 1)) / (1 + |age| / t)^f``. It has its own s, c, t, f and share, and its own keys
    by a learned matrix W. At the start the age decides, and similarity hardly counts. In the first term ages fade over
    days. A behavior of unknown age belongs to no occasion and does not count here. So a request without a time, or long
    after the history, has the first term alone.

    It helps where rows lie between other rows of their own sitting, as in a random split: ``TrainingHistory`` and
    ``GivenHistory`` with times. ``PastHistory`` does not hold rows of the same second.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        hidden: Width of the network's hidden layer.
        dropout: Share of the network's inputs dropped while training.
        sharpness: Factor s of the cosine in the first term at the start (learned).
        slots_per_block: Most slots of histories and candidates, padding included, whose vectors are held at once.
        seconds: The time t after which a behavior has half its weight, at the start (learned).

    Raises:
        ConfigError: If ``seconds`` is not above 0, or as for ``NeighborhoodHead``.

    Reference:
        Koren 2009, Collaborative filtering with temporal dynamics, https://doi.org/10.1145/1557019.1557072, section 3
        (biases of a day).

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> facts = Facts.example()
        >>> seen = [Seen(0, 5.0, 0, 60.0, 0)]  # item 0, rated 5
        >>> batch = request_batch(seen, rows=np.array([1]), user_row=0, now=70.0)
        >>> head, user = OccasionNeighborhoodHead(facts, width=2), torch.zeros(1, 3)
        >>> same = torch.tensor([[1.0, 0.0, 0.0]] * 2)
        >>> like, occasion = head.neighbours(user, same, batch)[0, 0].tolist()  # 10 seconds after
        >>> round(like, 3), round(occasion, 3)  # 2 / (1 + 1), and half of it: 0.5 * 2 / (0.5 + 1)
        (1.0, 0.667)
    """

    terms = 2

    def __init__(
        self,
        facts: Facts,
        width: int,
        hidden: int = 64,
        dropout: float = 0.5,
        sharpness: float = 6.0,
        slots_per_block: int = 65_536,
        seconds: float = 10.0,
    ) -> None:
        super().__init__(facts, width, hidden, dropout, sharpness, slots_per_block)
        start = _SECONDS / positive(self, "seconds", seconds)
        self.occasion_keys = nn.Parameter(torch.randn(width, width) * width**-0.5)
        self.occasion_sharpness = nn.Parameter(torch.tensor(0.5).log())
        self.occasion_shrinkage = nn.Parameter(torch.tensor(0.0))
        self.occasion_forgetting = nn.Parameter(torch.tensor(math.log(math.e - 1)))
        self.occasion_pace = nn.Parameter(torch.tensor(start).log())
        self.occasion_share = nn.Parameter(torch.tensor(0.5))

    def occasion_kernel(self) -> Kernel:
        """Return how much a behavior counts: by its age, and at first only a little by its item."""
        return Kernel(
            self.occasion_sharpness.exp(),
            self.occasion_shrinkage.exp(),
            nn.functional.softplus(self.occasion_forgetting),
            self.occasion_pace.exp(),
            ageless=False,
        )

    def levels(self, residuals: Residuals, vectors: Tensor, batch: RecBatch) -> list[Tensor]:
        """Return the terms of similar items and of the occasion, ``[B, C]`` each."""
        occasion = self.level(
            self.occasion_kernel(), vectors @ self.occasion_keys, residuals, batch
        )
        return [*super().levels(residuals, vectors, batch), occasion]

    def shares(self) -> Tensor:
        """Return the factor of each term ``[2]``."""
        return torch.cat([super().shares(), self.occasion_share.unsqueeze(0)])


class SessionHead(DotHead):
    """Start + biases + inner product + how much higher than usual the user rated at about the same time.

    The last term is ``sum_h a_h r_h / (sum_h a_h + c)`` over the user's ratings. ``r_h`` is the deviation of a rating
    from mean, user and item bias, and ``a_h = exp(-|age in minutes| / m)``. People rate in sittings, one page of items
    after another, so ratings minutes apart have more in common than the user. A rating of unknown age does not count.
    The term is the same for all candidates of a row: it does not change their order, and an index of vectors finds the
    same items.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        scale: Factor of the inner product at the start (learned).
        minutes: m at the start (learned).
        shrinkage: c, how strongly the term is shrunk, in ratings, at the start (learned).

    Raises:
        ConfigError: If the data's task is not ``rating``, or ``minutes`` or ``shrinkage`` is not above 0.

    Reference:
        Koren 2009, Collaborative filtering with temporal dynamics, https://doi.org/10.1145/1557019.1557072, section 3.2
        (the part of a user's bias that holds for one day).

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
        self.log_minutes = nn.Parameter(torch.tensor(positive(self, "minutes", minutes)).log())
        self.log_shrinkage = nn.Parameter(
            torch.tensor(positive(self, "shrinkage", shrinkage)).log()
        )

    def mood(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return how much higher than usual the user rated at about the same time ``[B]``."""
        history = batch.history
        residuals = self.answers.residuals(item_vectors, history, beside(users)[:, 0, -1:])
        unknown = history.age_days.isnan()
        minutes = history.age_days.nan_to_num(0.0).abs() * _MINUTES
        weights = torch.exp(-minutes / self.log_minutes.exp()).masked_fill(unknown, 0.0)
        sums = (weights.unsqueeze(-1) * residuals.parts).sum(1)  # [B, P]
        return self.answers.level(sums, self.log_shrinkage.exp())

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        scores: Tensor = super().forward(users, item_vectors, batch)
        return scores + self.mood(users, item_vectors, batch).unsqueeze(1)
