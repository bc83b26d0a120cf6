"""Network: the stages from a batch to scores; ItemNetwork: one whose items are encoded independently of the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import Items, RecBatch, Texts
from lit_rec.data.facts import Facts
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.heads.head import Head
from lit_rec.models.heads.vector_heads import Vectors
from lit_rec.models.items.item_encoder import ItemVectors
from lit_rec.models.text.backbone import Backbone


class Network(nn.Module, ABC):
    """Three stages (items, users, scores), each also used alone: by tables of vectors, indexes and explanations.

    ``has_item_table`` says whether items are encoded independently of rows: evaluation then encodes the catalogue once
    and looks its vectors up. ``gives`` is ``scores``, ``class_scores`` or ``vectors``, as for a ``Head``.
    ``gives_positions`` says whether training may predict at every position of a history. ``backbone`` is the text
    encoder, None where no text is read. ``nearest_items`` is how many items a row has in place of a history: the
    training items whose texts are nearest to its own before training; 0: a row has its history.
    """

    backbone: Backbone | None
    gives_positions = False
    nearest_items = 0
    has_text_vectors: ClassVar[bool] = False  # whether training outputs are TextScores
    has_item_table: ClassVar[bool]

    @property
    @abstractmethod
    def gives(self) -> str:
        """What ``score`` returns."""

    @property
    def looks_at_all(self) -> bool:
        """Whether ``calibrate`` needs all training items; otherwise it needs enough for a mean and a spread."""
        return False

    @property
    def looks_at_labels(self) -> bool:
        """Whether training begins with ``begin_at_labels``."""
        return False

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Measure the training items and their texts once, before training begins."""

    def begin_at_labels(self, texts: Texts, items: Items, counts: Tensor) -> None:
        """Begin with what the training rows' labels say; called after ``calibrate``.

        Args:
            texts: Texts of the training items.
            items: The N training items.
            counts: ``[N, K]``, how many training rows of each label an item has.
        """

    def calibrate_profiles(self, texts: Texts, users: Items) -> None:
        """Measure the training users' profiles once, before training begins."""

    def vectors_of(self, table: Tensor) -> Tensor:
        """Return the item vectors in what ``encode_items`` gave, which may hold more."""
        return table

    def described_in(self, table: Tensor) -> Tensor:
        """Return what ``encode_items`` gave besides item vectors."""
        return table[:, :0]

    @abstractmethod
    def encode_items(self, texts: Texts, items: Items) -> Tensor:
        """Return item vectors ``[N, D]``."""

    def encode_profiles(self, texts: Texts, users: Items) -> Tensor:
        """Return what profiles add to user vectors ``[M, D]``.

        Raises:
            ValueError: If the network reads no profiles.
        """
        raise ValueError(f"{type(self).__name__} reads no profiles")

    @abstractmethod
    def encode_users(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return user vectors ``[B, D]``.

        Args:
            item_vectors: ``[N, D]``.
            batch: The rows.
            profiles: What their profiles add ``[M, D]``, where the data has profiles.
        """

    def encode_positions(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return users before their histories and after each slot, ``[B, H + 1, D]``; see ``encode_users``.

        Raises:
            ValueError: If the network does not give positions.
        """
        raise ValueError(f"{type(self).__name__} gives one vector per row")

    @abstractmethod
    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return scores ``[B, C]``, or ``[B, C, K]`` for class scores."""

    def encode_batch(self, batch: RecBatch) -> tuple[Tensor, Tensor | None]:
        """Return the vectors of a batch's items ``[N, D]`` and profiles ``[M, D]``, each distinct one encoded once."""
        return self.encode_items(batch.texts, batch.items), self._profiles(batch)

    def _profiles(self, batch: RecBatch) -> Tensor | None:
        given = batch.users.profiles
        return None if given is None else self.encode_profiles(given.texts, given.users)

    def training_outputs(self, batch: RecBatch) -> Tensor | Vectors:
        """Return the input of an objective, as ``gives`` says: scores, or vectors whose inner products are scores."""
        scores: Tensor = self(batch)
        return scores

    def forward(self, batch: RecBatch) -> Tensor:
        """Return scores; each distinct item of the batch is encoded once."""
        item_vectors, profiles = self.encode_batch(batch)
        users = self.encode_users(item_vectors, batch, profiles)
        return self.score(users, item_vectors, batch)


class ItemNetwork(Network):
    """Items encoded independently of the rows, and a head.

    All but the encoder runs in float32, whatever the Trainer's precision: near 4.0 steps of bfloat16 are 1/64.
    """

    head: Head

    def __init__(self, facts: Facts, item_encoder: Callable[[Facts], ItemVectors]) -> None:
        super().__init__()
        self.item_encoder = item_encoder(facts)

    @property
    def backbone(self) -> Backbone | None:  # type: ignore[override]
        """The text encoder, if there is one."""
        return self.item_encoder.backbone

    @property
    def gives(self) -> str:
        """What the head gives."""
        return self.head.gives

    @property
    def looks_at_all(self) -> bool:
        """Whether the item encoder does."""
        return self.item_encoder.looks_at_all

    @property
    def table_width(self) -> int:
        """Width of what ``encode_items`` returns."""
        return self.item_encoder.width + 1

    @property
    def looks_at_labels(self) -> bool:
        """Whether the head does."""
        return self.head.looks_at_labels

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Calibrate the item encoder, which centres its text vectors, for example."""
        self.item_encoder.calibrate(texts, items)

    def begin_at_labels(self, texts: Texts, items: Items, counts: Tensor) -> None:
        """Let the head begin with what the labels say about the item vectors."""
        with evaluation_mode(self):
            self.head.begin_at_labels(self.encode_items(texts, items), counts)

    def encode_items(self, texts: Texts, items: Items) -> Tensor:
        """Return item vectors ``[N, D]``."""
        vectors: Tensor = self.item_encoder(texts, items)
        return vectors

    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return what the head gives."""
        with torch.autocast(item_vectors.device.type, enabled=False):
            scores: Tensor = self.head(users, item_vectors, batch)
        return scores
