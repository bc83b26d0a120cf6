"""Networks: the stages from a batch to scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from lit_rec.data.batches import Items, RecBatch, Texts
from lit_rec.data.facts import Facts
from lit_rec.models.backbone import Backbone
from lit_rec.models.heads import Head
from lit_rec.models.item_encoder import ItemEncoder
from lit_rec.models.user_encoder import UserEncoder


class Network(nn.Module, ABC):
    """Three stages, each of use alone: tables of vectors, indexes and explanations begin with one of them.

    ``has_item_table`` says whether items are encoded apart from the rows, so that evaluation encodes the catalogue once and looks its
    vectors up; ``gives`` is ``scores`` or ``class_scores``, as for a ``Head``.
    """

    backbone: Backbone
    has_item_table: ClassVar[bool]

    @property
    @abstractmethod
    def gives(self) -> str:
        """What ``score`` returns."""

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Look at the training items and their texts once, before training begins."""

    @abstractmethod
    def encode_items(self, texts: Texts, items: Items) -> Tensor:
        """Return item vectors ``[N, D]``."""

    @abstractmethod
    def encode_users(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return user vectors ``[B, D]``."""

    @abstractmethod
    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return scores ``[B, C]``, or ``[B, C, K]`` for class scores."""

    def forward(self, batch: RecBatch) -> Tensor:
        """Return scores; each distinct item of the batch is encoded once."""
        item_vectors = self.encode_items(batch.texts, batch.items)
        users = self.encode_users(item_vectors, batch)
        return self.score(users, item_vectors, batch)


class ItemNetwork(Network):
    """Items encoded apart from the rows, and a head.

    All but the encoder runs in float32, whatever the Trainer's precision: bfloat16 near 4.0 has steps of 1/64.
    """

    head: Head

    def __init__(self, facts: Facts, item_encoder: Callable[[Facts], ItemEncoder]) -> None:
        super().__init__()
        self.item_encoder = item_encoder(facts)

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
        """Return item vectors ``[N, D]``."""
        vectors: Tensor = self.item_encoder(texts, items)
        return vectors

    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return what the head gives."""
        with torch.autocast(item_vectors.device.type, enabled=False):
            scores: Tensor = self.head(users, item_vectors, batch)
        return scores


class TwoTower(ItemNetwork):
    """Items encoded once, users from item vectors, a head on both. Serves values, ranking and retrieval.

    Args:
        facts: Facts of the data.
        item_encoder: From texts and ids to item vectors.
        user_encoder: From item vectors and histories to user vectors; takes the width.
        head: From both to scores; takes the width.
    """

    has_item_table = True

    def __init__(
        self,
        facts: Facts,
        item_encoder: Callable[[Facts], ItemEncoder],
        user_encoder: Callable[[Facts, int], UserEncoder],
        head: Callable[[Facts, int], Head],
    ) -> None:
        super().__init__(facts, item_encoder)
        self.user_encoder = user_encoder(facts, self.item_encoder.width)
        self.head = head(facts, self.item_encoder.width)

    def encode_users(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return user vectors ``[B, D]``, or ``[B, C, D]`` where they depend on the candidate."""
        with torch.autocast(item_vectors.device.type, enabled=False):
            users: Tensor = self.user_encoder(item_vectors, batch)
        return users
