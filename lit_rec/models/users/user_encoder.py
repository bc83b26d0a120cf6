"""UserEncoder: from the user's behaviors to a vector, also for users whom training never saw."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import HistorySlots, RecBatch
from lit_rec.data.facts import Facts
from lit_rec.models.answers import answers_of
from lit_rec.models.ids import Ids, NoIds
from lit_rec.models.row_blocks import in_row_blocks, rows_per_block, slots_of, weighted_sum
from lit_rec.models.text.pooling import masked_softmax
from lit_rec.ranges import count, positive


class UserEncoder(nn.Module, ABC):
    """From item vectors and histories to user vectors; the last coordinate of each is the user's bias.

    ``gives_positions`` says whether it can predict the next item at every position of a history; ``per_candidate``,
    whether a user has a vector for each candidate.

    Shape:
        item_vectors ``[N, width + 1]``, a batch of B rows -> ``[B, width + 1]`` float32, or ``[B, C, width + 1]`` per
        candidate.
    """

    gives_positions: ClassVar[bool] = False
    per_candidate: ClassVar[bool] = False

    @abstractmethod
    def forward(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the user vectors."""

    def positions(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the user before the first slot of the history and after each, ``[B, H + 1, width + 1]``.

        Raises:
            ValueError: If the encoder gives one vector per row.
        """
        raise ValueError(f"{type(self).__name__} gives one vector per row")


class BehaviorSumUserEncoder(UserEncoder):
    """u = sum_d w_d d over the user's behaviors; subclasses choose the weights w_d.

    Each behavior d is its item's vector, times how it was rated, plus an embedding of what was done (event). How it was
    rated is the rating's deviation from mean and item bias, times a learned scale. The last coordinate of a user vector
    is the user's bias, the shrunk mean of those deviations, so it holds for users whom training never saw. A user
    without history has a learned vector. With two labels the deviation is that of 1 or 0 from the expected probability.
    With more, each label has an embedding, as each event has.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        ids: What a known user's id adds; takes the number of ids and ``width``. Nothing by default.
        shrinkage: How strongly the user's bias is shrunk, in ratings, at the start (learned).

    Shape:
        item_vectors ``[N, width + 1]``, a batch of B rows -> ``[B, width + 1]`` float32, or ``[B, C, width + 1]`` where
        the weights depend on the candidate.

    Raises:
        ConfigError: If ``shrinkage`` is not above 0.

    Reference:
        Koren 2010, Factor in the neighbors, https://doi.org/10.1145/1644873.1644874 (shrunk biases).
    """

    def __init__(
        self,
        facts: Facts,
        width: int,
        ids: Callable[[int, int], Ids] = NoIds,
        shrinkage: float = 5.0,
    ) -> None:
        super().__init__()
        self.width, self.answers = width, answers_of(facts)
        self.event = nn.Embedding(len(facts.events) + 1, width, padding_idx=0)
        self.unrated = nn.Parameter(torch.zeros(width))
        self.empty = nn.Parameter(torch.zeros(width))
        self.rating_scale = nn.Parameter(torch.ones(width))
        start = positive(self, "shrinkage", shrinkage)
        self.log_shrinkage = nn.Parameter(torch.tensor(float(start)).log())
        self.ids = ids(len(facts.user_ids), width)
        several = facts.history_labels and len(facts.labels) > 2
        self.label = nn.Embedding(len(facts.labels) + 1, width, padding_idx=0) if several else None
        for embedding in filter(None, (self.event, self.label)):
            nn.init.normal_(embedding.weight[1:], std=0.02)
        self.event.weight.requires_grad_(len(facts.events) > 0)

    def forward(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the user vectors."""
        history = batch.history
        bias, residuals = self.answers.beyond_user(item_vectors, history, self.log_shrinkage.exp())
        level, rated = residuals.residual / self.answers.spread, residuals.known
        known = history.mask.any(1)
        vector = self.summary(item_vectors, batch, level, rated)  # [B, width] or [B, C, width]
        ids: Tensor = self.ids(batch.users.vocab_row)  # [B, width + 1]
        if vector.dim() == 3:
            known, bias, ids = known.unsqueeze(1), bias.unsqueeze(1), ids.unsqueeze(1)
        vector = torch.where(known.unsqueeze(-1), vector, self.empty)
        return torch.cat([vector, bias.unsqueeze(-1).expand(*vector.shape[:-1], 1)], -1) + ids

    @abstractmethod
    def summary(
        self, item_vectors: Tensor, batch: RecBatch, level: Tensor, rated: Tensor
    ) -> Tensor:
        """Return the weighted sum of the behaviors ``[B, width]``, or one per candidate ``[B, C, width]``.

        Args:
            item_vectors: ``[N, width + 1]``.
            batch: The rows.
            level: ``[B, H]``, each rating's deviation from the user's own level (0: no rating).
            rated: ``[B, H]``, True where there is a rating.
        """

    def _behaviors(
        self, item_vectors: Tensor, history: HistorySlots, level: Tensor, rated: Tensor
    ) -> Tensor:
        item = item_vectors[history.item_index, :-1]  # [B, H, width]
        scale = torch.where(rated.unsqueeze(-1), level.unsqueeze(-1) * self.rating_scale, 1.0)
        vectors = item * scale + torch.where(rated, 0.0, 1.0).unsqueeze(-1) * self.unrated
        if self.event.num_embeddings > 1:
            vectors = vectors + self.event(history.event)
        return vectors if self.label is None else vectors + self.label(history.label)


class MeanUserEncoder(BehaviorSumUserEncoder):
    """Weigh all behaviors alike, by 1 / sqrt(count + shrinkage): the vector grows with the length of the history.

    Reference:
        Koren 2008, Factorization meets the neighborhood, https://doi.org/10.1145/1401890.1401944, section 4.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> facts = Facts.example()
        >>> seen = [Seen(0, 5.0, 0, 60.0, 0)]  # item 0, rated 5
        >>> batch = request_batch(seen, rows=np.array([1]), user_row=0, now=None)
        >>> encoder = MeanUserEncoder(facts, width=1, shrinkage=3.0)
        >>> users = encoder(torch.tensor([[1.0, 0.0], [2.0, 0.0]]), batch)
        >>> users.tolist()  # (2 - 0.5) * 1 / sqrt(1 + 3), and the bias 2 / (1 + 3)
        [[0.75, 0.5]]
    """

    def summary(
        self, item_vectors: Tensor, batch: RecBatch, level: Tensor, rated: Tensor
    ) -> Tensor:
        """Return the weighted sum; it holds no vector per behavior, as weights are summed per distinct item first."""
        history = batch.history
        weights = self.weights(history.mask)
        index, vectors = history.item_index, item_vectors[:, :-1]
        bare = torch.where(rated, 0.0, weights)
        total = weighted_sum(weights * level, index, vectors) * self.rating_scale
        total = (
            total + weighted_sum(bare, index, vectors) + bare.sum(1, keepdim=True) * self.unrated
        )
        if self.event.num_embeddings > 1:
            total = total + weighted_sum(weights, history.event, self.event.weight)
        if self.label is not None:
            total = total + weighted_sum(weights, history.label, self.label.weight)
        return total

    def weights(self, mask: Tensor) -> Tensor:
        """Return equal weights w_d ``[B, H]``."""
        known = mask.sum(1, keepdim=True)
        return mask / torch.sqrt(known + self.log_shrinkage.exp())


class AdditiveAttentionUserEncoder(BehaviorSumUserEncoder):
    """Learn the weights: softmax over ``v . tanh(W [d, rating])``.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        ids: What a known user's id adds.
        shrinkage: How strongly the user's bias is shrunk, in ratings, at the start.
        hidden: Width of the attention's hidden layer.
        slots_per_block: Most history slots, padding included, whose behaviors are held at once: sets the memory of a
            step. A larger batch is computed in blocks of rows, and each block again in the backward pass.

    Raises:
        ConfigError: If ``hidden`` or ``slots_per_block`` is below 1, or ``shrinkage`` is not above 0.

    Reference:
        Wu et al. 2019, Neural News Recommendation with Attentive Multi-View Learning, https://arxiv.org/abs/1907.05576,
        section 3.2.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> facts = Facts.example()
        >>> seen = [Seen(0, 5.0, 0, 60.0, 0)]  # item 0, rated 5
        >>> batch = request_batch(seen, rows=np.array([1]), user_row=0, now=None)
        >>> encoder = AdditiveAttentionUserEncoder(facts, width=1, shrinkage=3.0)
        >>> encoder(torch.tensor([[1.0, 0.0], [2.0, 0.0]]), batch).tolist()  # all weight on the only behavior
        [[1.5, 0.5]]
    """

    def __init__(
        self,
        facts: Facts,
        width: int,
        ids: Callable[[int, int], Ids] = NoIds,
        shrinkage: float = 5.0,
        hidden: int = 64,
        slots_per_block: int = 16_384,
    ) -> None:
        super().__init__(facts, width, ids, shrinkage)
        self.hidden = nn.Linear(width + 1, count(self, "hidden", hidden))
        self.score = nn.Linear(hidden, 1, bias=False)
        self.slots_per_block = count(self, "slots_per_block", slots_per_block)

    def summary(
        self, item_vectors: Tensor, batch: RecBatch, level: Tensor, rated: Tensor
    ) -> Tensor:
        """Return the weighted sum of the behaviors ``[B, width]``."""

        def of_rows(rows: slice) -> Tensor:
            history = slots_of(batch.history, rows)
            behaviors = self._behaviors(item_vectors, history, level[rows], rated[rows])
            weights = self.weights(behaviors, level[rows], history.mask)  # [b, H]
            return (weights.unsqueeze(1) @ behaviors).squeeze(1)

        block = rows_per_block(self.slots_per_block, level.shape[1])
        return in_row_blocks(of_rows, len(batch), block)

    def weights(self, behaviors: Tensor, level: Tensor, mask: Tensor) -> Tensor:
        """Return w_d ``[B, H]``, the softmax over real behaviors.

        Args:
            behaviors: ``[B, H, width]``.
            level: ``[B, H]``, each rating's deviation from the user's own level (0: no rating).
            mask: ``[B, H]``, False in padding.
        """
        inputs = torch.cat([behaviors, level.unsqueeze(-1)], -1)
        scores = self.score(torch.tanh(self.hidden(inputs))).squeeze(-1)  # [B, H]
        return masked_softmax(scores, mask)
