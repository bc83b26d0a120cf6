"""TextClassifier: from a text to labels or a rating, without any user."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lit_rec.data.batches import Items, RecBatch, Texts
from lit_rec.data.facts import Facts
from lit_rec.models.backbone import Backbone
from lit_rec.models.heads import Head, LinearHead
from lit_rec.models.item_encoder import ItemEncoder
from lit_rec.models.networks import Network


class TextClassifier(Network):
    """Text alone: topic, sentiment, intent. A text is the only item of its row.

    There is no table of vectors at evaluation, for each text is asked about once; a batch's equal texts are still encoded once.

    Args:
        facts: Facts of the data.
        item_encoder: From texts to vectors.
        head: From a vector to scores; takes the width.
    """

    has_item_table = False

    def __init__(
        self,
        facts: Facts,
        item_encoder: Callable[[Facts], ItemEncoder],
        head: Callable[[Facts, int], Head] = LinearHead,
    ) -> None:
        super().__init__()
        self.item_encoder = item_encoder(facts)
        self.head = head(facts, self.item_encoder.width)

    @property
    def backbone(self) -> Backbone:  # type: ignore[override]
        """The text encoder."""
        return self.item_encoder.backbone

    @property
    def gives(self) -> str:
        """What the head gives."""
        return self.head.gives

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Have the item encoder centre its text vectors."""
        self.item_encoder.calibrate(texts, items)

    def encode_items(self, texts: Texts, items: Items) -> Tensor:
        """Return the texts' vectors ``[N, width + 1]``."""
        vectors: Tensor = self.item_encoder(texts, items)
        return vectors

    def encode_users(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return zeros ``[B, width + 1]``: nobody asks."""
        return item_vectors.new_zeros(len(batch), item_vectors.shape[1])

    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return scores ``[B, C, K]`` of labels, or ``[B, C]`` of ratings."""
        with torch.autocast(item_vectors.device.type, enabled=False):
            scores: Tensor = self.head(users, item_vectors, batch)
        return scores
