"""RidgeUserEncoder: a ridge regression for each user."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.models.answers import RatingAnswers
from lit_rec.models.ids import Ids, NoIds
from lit_rec.models.requirements import needs_target
from lit_rec.models.row_blocks import in_row_blocks, rows_per_block
from lit_rec.models.users.user_encoder import UserEncoder
from lit_rec.ranges import count, positive


class RidgeUserEncoder(UserEncoder):
    """u = the ridge regression of the user's own ratings on the vectors of the items they rated, solved for each row.

    u and b minimise ``sum_h (r_h - b - u . i_h)^2 + p |u|^2 + c b^2`` over the history, with ``r_h`` the rating minus
    mean and item bias; ``b`` is the user's bias. With ``DotHead``, ``u . i`` is then the user's own forecast for an
    item from their ratings of all others. A short history moves it little, an empty one not at all. Gradients go
    through the solution: item vectors are learned such that few ratings predict the others. It holds for users whom
    training never saw.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out. Each row solves for ``width + 1`` numbers.
        ids: What a known user's id adds; takes the number of ids and ``width``. Nothing by default.
        shrinkage: c, how strongly the user's bias is shrunk, in ratings, at the start (learned).
        penalty: p at the start (learned), in ratings for item vectors of norm 1; see ``balanced`` of ``ItemEncoder``.
        slots_per_block: Most history slots, padding included, whose vectors are held at once: sets the memory of a
            step. A larger batch is computed in blocks of rows, and each block again in the backward pass.

    Shape:
        item_vectors ``[N, width + 1]``, a batch of B rows -> ``[B, width + 1]`` float32.

    Raises:
        ConfigError: If the data's task is not ``rating``, ``shrinkage`` or ``penalty`` is not above 0, or
            ``slots_per_block`` is below 1.

    Reference:
        Bertinetto et al. 2019, Meta-learning with differentiable closed-form solvers, https://arxiv.org/abs/1805.08136,
        section 3.2.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> facts = Facts.example()
        >>> seen = [Seen(0, 5.0, 0, 60.0, 0)]  # item 0, rated 5
        >>> batch = request_batch(seen, rows=np.array([1]), user_row=0, now=None)
        >>> encoder = RidgeUserEncoder(facts, width=1, shrinkage=3.0, penalty=1.0)
        >>> u, b = encoder(torch.tensor([[1.0, 0.0], [2.0, 0.0]]), batch)[0].tolist()
        >>> round(7 * u, 3), round(7 * b, 3)  # (2 - b - u)^2 + u^2 + 3 b^2 is least at u = 6/7, b = 2/7
        (6.0, 2.0)
    """

    def __init__(
        self,
        facts: Facts,
        width: int,
        ids: Callable[[int, int], Ids] = NoIds,
        shrinkage: float = 5.0,
        penalty: float = 5.0,
        slots_per_block: int = 65_536,
    ) -> None:
        super().__init__()
        needs_target(type(self).__name__, facts, RatingTarget, "choose another user encoder")
        self.answers = RatingAnswers(facts)
        self.log_shrinkage = nn.Parameter(
            torch.tensor(positive(self, "shrinkage", shrinkage)).log()
        )
        self.log_penalty = nn.Parameter(torch.tensor(positive(self, "penalty", penalty)).log())
        self.slots_per_block = count(self, "slots_per_block", slots_per_block)
        self.ids = ids(len(facts.user_ids), width)

    def forward(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the user vectors."""
        history = batch.history
        residuals = self.answers.residuals(item_vectors, history)
        # the last input is 1, for the user's bias
        ones = torch.ones_like(item_vectors[:, -1:])
        inputs = torch.cat([item_vectors[:, :-1], ones], 1)  # [N, width + 1]
        width = inputs.shape[1] - 1
        penalty = torch.cat([self.log_penalty.expand(width), self.log_shrinkage.expand(1)]).exp()

        def of_rows(rows: slice) -> Tensor:
            known = residuals.known[rows].unsqueeze(-1)
            seen = inputs[history.item_index[rows]] * known  # [b, H, width + 1]
            gram = seen.transpose(1, 2) @ seen + torch.diag(penalty)
            residual = residuals.residual[rows].unsqueeze(1)  # [b, 1, H]
            moment = (residual @ seen).transpose(1, 2)  # [b, width + 1, 1]
            return torch.cholesky_solve(moment, torch.linalg.cholesky_ex(gram).L).squeeze(-1)

        block = rows_per_block(self.slots_per_block, history.item_index.shape[1])
        vectors = in_row_blocks(of_rows, len(batch), block)
        known: Tensor = vectors + self.ids(batch.users.vocab_row)
        return known
