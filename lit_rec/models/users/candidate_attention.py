"""CandidateAttentionUserEncoder: a user vector for each candidate; behaviors similar to it weigh more."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.models.ids import Ids, NoIds
from lit_rec.models.row_blocks import in_row_blocks, rows_per_block, slots_of
from lit_rec.models.text.pooling import masked_softmax
from lit_rec.models.users.user_encoder import BehaviorSumUserEncoder
from lit_rec.ranges import count


class CandidateAttentionUserEncoder(BehaviorSumUserEncoder):
    """u_c = sum_d w_cd d with w_cd a softmax over ``(Q c) . (K [d, rating]) / sqrt(hidden)``: attention by candidate c.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        ids: What a known user's id adds.
        shrinkage: How strongly the user's bias is shrunk, in ratings, at the start.
        hidden: Width of queries and keys.
        slots_per_block: Most slots of histories and candidates, padding included, that are held at once: sets the
            memory of a step. A larger batch is computed in blocks of rows, and each block again in the backward pass.

    Shape:
        item_vectors ``[N, width + 1]``, a batch of B rows with C candidates -> ``[B, C, width + 1]`` float32.

    Raises:
        ConfigError: If ``hidden`` or ``slots_per_block`` is below 1, or ``shrinkage`` is not above 0.

    Reference:
        Zhou et al. 2018, Deep interest network, https://arxiv.org/abs/1706.06978; the weights are a softmax, as in Wang
        et al. 2018, DKN, https://arxiv.org/abs/1801.08284, section 4.4.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> seen = [Seen(item=0, rating=4.0, event=0, timestamp=float("nan"), label=0)]
        >>> batch = request_batch(seen, rows=np.array([1, 2]), user_row=0, now=None)  # one behavior, two candidates
        >>> facts = Facts.example()
        >>> CandidateAttentionUserEncoder(facts, width=4)(torch.zeros(3, 5), batch).shape
        torch.Size([1, 2, 5])
    """

    per_candidate = True

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
        self.query = nn.Linear(width, count(self, "hidden", hidden))
        self.key = nn.Linear(width + 1, hidden)
        self.slots_per_block = count(self, "slots_per_block", slots_per_block)

    def summary(
        self, item_vectors: Tensor, batch: RecBatch, level: Tensor, rated: Tensor
    ) -> Tensor:
        """Return one weighted sum of the behaviors per candidate ``[B, C, width]``."""
        queries = self.query(item_vectors[:, :-1])  # [N, hidden]
        candidates = batch.candidates.item_index

        def of_rows(rows: slice) -> Tensor:
            history = slots_of(batch.history, rows)
            behaviors = self._behaviors(item_vectors, history, level[rows], rated[rows])
            keys = self.key(torch.cat([behaviors, level[rows].unsqueeze(-1)], -1))
            weights = candidate_weights(queries[candidates[rows]], keys, history.mask)  # [b, C, H]
            return weights @ behaviors

        block = rows_per_block(self.slots_per_block, level.shape[1] + candidates.shape[1])
        return in_row_blocks(of_rows, len(batch), block)


def candidate_weights(queries: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
    """Return w_cd ``[B, C, H]``; a row without history has zeros.

    Args:
        queries: ``[B, C, hidden]``.
        keys: ``[B, H, hidden]``.
        mask: ``[B, H]``, False in padding.
    """
    scores = queries @ keys.transpose(1, 2) / keys.shape[-1] ** 0.5
    return masked_softmax(scores, mask.unsqueeze(1).expand_as(scores))
