"""What biases predict of a rating, and what each rating of a history says beyond them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.models.answers import RatingAnswers
from lit_rec.ranges import positive, share


class RatingBiases(nn.Module):
    """User bias + item bias, so that a network that reads texts begins where plain means end.

    An item's bias is that of the training ratings (``Facts.item_bias``), 0 for an item without any. A user's is the
    shrunk mean of what the history's ratings say beyond mean and item biases, so it holds for users whom training never
    saw.

    Args:
        facts: Facts of the data.
        dropout: Share of a batch's distinct items whose bias is left out while training, so that texts learn the
            quality of items that training never saw.
        shrinkage: Ratings that the user's bias is shrunk by at the start (learned).

    Shape:
        A batch of B rows -> what is added to the mean rating ``[B, C]``; and ``[B, H]``, how far each rating of the
        history lies above what the biases say, in quarters of the range of ratings (0 where there is no rating).

    Raises:
        ConfigError: If ``dropout`` is not from 0 to 1, or ``shrinkage`` is not above 0.

    Reference:
        Koren 2010, Factor in the neighbors, https://doi.org/10.1145/1644873.1644874 (shrunk biases).
    """

    item_bias: Tensor

    def __init__(self, facts: Facts, dropout: float = 0.1, shrinkage: float = 5.0) -> None:
        super().__init__()
        self.dropout = share(self, "dropout", dropout)
        start = positive(self, "shrinkage", shrinkage)
        self.answers = RatingAnswers(facts)
        known = facts.item_bias or [0.0] * len(facts.item_ids)
        self.register_buffer("item_bias", torch.tensor([0.0, *known]))
        self.log_shrinkage = nn.Parameter(torch.tensor(float(start)).log())

    def forward(self, batch: RecBatch) -> tuple[Tensor, Tensor]:
        """Return the biases of the candidates, and the history's ratings beyond them."""
        item = self.item_bias[batch.items.vocab_row]  # [N]
        if self.training and self.dropout > 0:
            item = item * (torch.rand(item.shape, device=item.device) >= self.dropout)
        shrinkage = self.log_shrinkage.exp()
        user, told = self.answers.beyond_user(item.unsqueeze(1), batch.history, shrinkage)
        beyond = told.residual / self.answers.spread
        return user.unsqueeze(1) + item[batch.candidates.item_index], beyond
