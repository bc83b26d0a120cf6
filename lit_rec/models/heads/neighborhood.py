"""NeighborhoodHead: how the user rated items that are similar to the candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError
from lit_rec.models.answers import Answers, CountedBehaviors, Residuals, answers_of
from lit_rec.models.heads.head import Head, beside
from lit_rec.models.row_blocks import in_row_blocks, rows_per_block
from lit_rec.ranges import count, positive, share


def all_pairs(keys: Tensor, slots: int) -> Tensor | None:
    """Return the inner products of all items ``[N, N]``, or None where gathering a vector for each slot is cheaper.

    Args:
        keys: ``[N, D]``, a key per distinct item.
        slots: Number of history slots.
    """
    items, width = keys.shape
    return keys @ keys.T if items * items <= slots * width else None


def pair_similarity(
    keys: Tensor, pairs: Tensor | None, candidate: Tensor, history: Tensor
) -> Tensor:
    """Return the inner products of each row's candidates with its history, computed in the cheapest way.

    Without ``pairs``, candidates are multiplied with all items if that needs less memory than a vector for each slot.

    Args:
        keys: ``[N, D]``, a key per distinct item.
        pairs: What ``all_pairs`` returned.
        candidate: ``[B, C]`` int64 into ``keys``.
        history: ``[B, H]`` int64 into ``keys``.

    Returns:
        ``[B, C, H]``.
    """
    if pairs is not None:
        return pairs[candidate.unsqueeze(2), history.unsqueeze(1)]
    (items, width), count = keys.shape, candidate.shape[1]
    if count * items <= history.shape[1] * width:
        with_all = keys[candidate] @ keys.T  # [B, C, N]
        return with_all.gather(2, history.unsqueeze(1).expand(-1, count, -1))
    return keys[candidate] @ keys[history].transpose(1, 2)  # [B, C, D] @ [B, D, H]


@dataclass(frozen=True)
class Kernel:
    """How much a behavior counts for a candidate: ``exp(s (cos - 1)) / (1 + p |age in days|)^f``.

    The sum over the behaviors is shrunk by c.

    Args:
        sharpness: s.
        shrinkage: c, above 0.
        forgetting: f.
        pace: p.
        ageless: Whether a behavior of unknown age counts as one of age 0; otherwise it does not count.

    Example:
        >>> one = torch.tensor(1.0)
        >>> kernel = Kernel(one, one, forgetting=2 * one, pace=one, ageless=False)
        >>> torch.exp(-kernel.fade(torch.tensor([[0.0, 1.0, -1.0, torch.nan]])))
        tensor([[1.0000, 0.2500, 0.2500, 0.0000]])
    """

    sharpness: Tensor
    shrinkage: Tensor
    forgetting: Tensor
    pace: Tensor
    ageless: bool = True

    def fade(self, age_days: Tensor) -> Tensor:
        """Return what is subtracted from the exponent for the ages ``[B, H]``: ``[B, H]``."""
        lost = self.forgetting * torch.log1p(age_days.nan_to_num(0.0).abs() * self.pace)
        return lost if self.ageless else torch.where(age_days.isnan(), torch.inf, lost)


def level_of_neighbours(
    kernel: Kernel,
    keys: Tensor,
    residuals: Residuals,
    answers: Answers,
    batch: RecBatch,
    slots: int,
) -> Tensor:
    """Return the level of the answers around each candidate ``[B, C]``, weighed by a kernel.

    Args:
        kernel: The weights.
        keys: ``[N, D]``, a key per distinct item, of norm 1.
        residuals: Of the histories.
        answers: Makes a level of residuals.
        batch: The rows.
        slots: Most slots of histories and candidates whose keys are held at once.
    """
    candidates, history = batch.candidates.item_index, batch.history.item_index
    pairs = all_pairs(keys, min(history.numel(), slots))
    fade = kernel.fade(batch.history.age_days)  # [B, H]

    def of_rows(rows: slice) -> Tensor:
        cosine = pair_similarity(keys, pairs, candidates[rows], history[rows])  # [b, C, H]
        logits = (cosine - 1) * kernel.sharpness - fade[rows].unsqueeze(1)
        weights = torch.exp(logits) * residuals.known[rows].unsqueeze(1)
        return answers.level(weights @ residuals.parts[rows], kernel.shrinkage)

    if pairs is not None:  # then no vector per slot is held
        return of_rows(slice(0, len(batch)))
    block = rows_per_block(slots, history.shape[1] + candidates.shape[1])
    return in_row_blocks(of_rows, len(batch), block)


class NeighborhoodHead(Head):
    """Mean + biases + the user's ratings of similar items + inner product + a small network.

    The neighbourhood term is ``sum_h a_h r_h / (sum_h a_h + c)`` over the user's ratings. ``r_h`` is the deviation of a
    rating from mean, user and item bias; ``a_h = exp(s (cos(k_i, k_h) - 1)) / (1 + p |age in days|)^f``; s, c, p and f
    are learned. With few or dissimilar neighbours the term goes to 0. Ratings of about the same time count more; an
    unknown age counts as 0. With two labels, the term compares the positive labels of similar items with those
    expected, as a log odds ratio shrunk by c. Where the history has no labels, such as one of clicks alone, it is
    ``sum_h a_h / (sum_h a_h + c)``. The network gets ``[u, i, u * i]``, both biases, the neighbourhood term and the
    length of the history.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        hidden: Width of the network's hidden layer.
        dropout: Share of the network's inputs dropped while training.
        sharpness: Factor s of the cosine at the start (learned).
        slots_per_block: Most slots of histories and candidates, padding included, whose vectors are held at once: sets
            the memory of a step. A larger batch is computed in blocks of rows, and each block again in the backward
            pass.

    Raises:
        ConfigError: If the data has more than two labels, ``sharpness`` is not above 0, ``hidden`` or
            ``slots_per_block`` is below 1, or ``dropout`` is not from 0 to 1.

    Reference:
        Koren 2008, Factorization meets the neighborhood, https://doi.org/10.1145/1401890.1401944. Koren 2009,
        Collaborative filtering with temporal dynamics, https://doi.org/10.1145/1557019.1557072.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> facts = Facts.example()
        >>> seen = [Seen(0, 5.0, 0, 60.0, 0)]  # item 0, rated 5
        >>> batch = request_batch(seen, rows=np.array([1]), user_row=0, now=None)
        >>> head, user = NeighborhoodHead(facts, width=2), torch.zeros(1, 3)
        >>> like, unlike = [3.0, 0.0, 0.0], [-3.0, 0.0, 0.0]  # similar to the item rated 2 above the mean, or not
        >>> for vector in (like, unlike):  # 2 / (1 + 1), and about 0
        ...     print(round(head.neighbours(user, torch.tensor([[1.0, 0.0, 0.0], vector]), batch).item(), 3))
        1.0
        0.0
    """

    terms: ClassVar[int] = 1  # of the neighbourhood, inputs of the network

    def __init__(
        self,
        facts: Facts,
        width: int,
        hidden: int = 64,
        dropout: float = 0.5,
        sharpness: float = 6.0,
        slots_per_block: int = 65_536,
    ) -> None:
        if facts.labels and len(facts.labels) != 2:
            raise ConfigError(
                f"{type(self).__name__}, but the data has {len(facts.labels)} labels",
                where=type(self).__name__,
                rule="ratings, or two labels",
                remedy="use ClassificationHead for more",
            )
        super().__init__(facts, width)
        counts_alone = bool(facts.labels) and not facts.history_labels
        self.answers = CountedBehaviors() if counts_alone else answers_of(facts)
        start = positive(self, "sharpness", sharpness)
        share(self, "dropout", dropout)
        count(self, "hidden", hidden)
        self.slots_per_block = count(self, "slots_per_block", slots_per_block)
        self.log_sharpness = nn.Parameter(torch.tensor(float(start)).log())
        self.log_shrinkage = nn.Parameter(torch.tensor(0.0))
        self.forgetting = nn.Parameter(torch.tensor(0.1))  # f and p, before softplus
        self.pace = nn.Parameter(torch.tensor(1.0))
        self.share = nn.Parameter(torch.tensor(1.0))
        self.scale = nn.Parameter(torch.tensor(0.1))
        self.hidden = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(3 * width + 3 + self.terms, hidden), nn.GELU()
        )
        self.last = nn.Linear(hidden, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def kernel(self) -> Kernel:
        """Return how much a behavior counts for a candidate."""
        softplus = nn.functional.softplus
        forgetting, pace = softplus(self.forgetting), softplus(self.pace)
        return Kernel(self.log_sharpness.exp(), self.log_shrinkage.exp(), forgetting, pace)

    def neighbours(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the neighbourhood terms ``[B, C, terms]``."""
        residuals = self.answers.residuals(item_vectors, batch.history, beside(users)[:, 0, -1:])
        return torch.stack(self.levels(residuals, item_vectors[:, :-1], batch), -1)

    def levels(self, residuals: Residuals, vectors: Tensor, batch: RecBatch) -> list[Tensor]:
        """Return each term ``[B, C]``.

        Args:
            residuals: Of the histories' answers, given the biases.
            vectors: ``[N, width]``, those of the items.
            batch: The rows.
        """
        return [self.level(self.kernel(), vectors, residuals, batch)]

    def level(
        self, kernel: Kernel, vectors: Tensor, residuals: Residuals, batch: RecBatch
    ) -> Tensor:
        """Return the level of the answers around each candidate ``[B, C]``; the directions of ``vectors`` are the keys.

        Args:
            kernel: How much a behavior counts.
            vectors: ``[N, D]``.
            residuals: Of the histories' answers, given the biases.
            batch: The rows.
        """
        keys = nn.functional.normalize(vectors, dim=1)
        return level_of_neighbours(
            kernel, keys, residuals, self.answers, batch, self.slots_per_block
        )

    def shares(self) -> Tensor:
        """Return the factor of each term ``[terms]``."""
        return self.share.unsqueeze(0)

    def forward(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the scores."""
        candidates = item_vectors[batch.candidates.item_index]  # [B, C, width + 1]
        item = candidates[..., :-1]
        user = beside(users)[..., :-1].expand_as(item)
        near = self.neighbours(users, item_vectors, batch)  # [B, C, terms]
        known = torch.log1p(batch.history.mask.sum(1)) / 5
        user_bias = beside(users)[..., -1:].expand_as(candidates[..., -1:])
        known = known.view(-1, 1, 1).expand_as(user_bias)
        plain = torch.cat([user_bias, candidates[..., -1:], near, known], -1)
        learned: Tensor = self.last(self.hidden(torch.cat([user, item, user * item, plain], -1)))
        product = (user * item).sum(-1)
        return (
            self.biases(users, candidates)
            + (near * self.shares()).sum(-1)
            + self.scale * product
            + learned.squeeze(-1)
        )
