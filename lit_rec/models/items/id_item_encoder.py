"""IdItemEncoder: items known by their ids alone."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.facts import Facts
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items.item_encoder import ItemVectors
from lit_rec.models.requirements import refuse_fields
from lit_rec.ranges import count


class IdItemEncoder(ItemVectors):
    """A learned vector and bias per id, as in collaborative filtering: a baseline for what text adds.

    An item that training never saw has the zero vector. No text is read, and no encoder is in the checkpoint.

    Args:
        facts: Facts of the data.
        width: Width of the item vector, its bias coordinate left out.
        dropout: Probability that an id is dropped while training; it acts as an unseen one then.
        std: Standard deviation of the vectors at the start.

    Shape:
        items of N -> ``[N, width + 1]`` float32.

    Raises:
        ConfigError: If ``width`` is below 1, ``dropout`` is not from 0 to 1, or the data has fields that would not be
            read.

    Reference:
        Kang & McAuley 2018, Self-attentive sequential recommendation, https://arxiv.org/abs/1808.09781 (item
        embeddings).

    Example:
        >>> facts = Facts.example()
        >>> none = torch.empty(0, dtype=torch.int64)
        >>> items = Items(text_index=none, catalogue_row=torch.tensor([0, 1, 2]), vocab_row=torch.tensor([1, 2, 0]))
        >>> vectors = IdItemEncoder(facts, width=4)(Texts(none, torch.tensor([0])), items)
        >>> vectors.shape, bool(vectors[2].any())  # training never saw the last
        (torch.Size([3, 5]), False)
    """

    def __init__(
        self, facts: Facts, width: int = 64, dropout: float = 0.0, std: float = 0.02
    ) -> None:
        super().__init__()
        refuse_fields("IdItemEncoder", facts, reads="ids", instead="ItemEncoder")
        self.width = count(self, "width", width)
        self.backbone = None
        self.ids = IdEmbedding(len(facts.item_ids), width, dropout, std)
        if facts.item_bias:
            self.ids.start_at(torch.tensor([0.0, *facts.item_bias]))

    def forward(self, texts: Texts, items: Items) -> Tensor:
        """Return the item vectors."""
        vectors: Tensor = self.ids(items.vocab_row)
        return vectors
