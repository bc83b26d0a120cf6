"""Networks: the stages from a batch to scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import Items, RecBatch, Texts
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.heads.head import Head
from lit_rec.models.heads.repeat_bias import RepeatBias, Repeats
from lit_rec.models.heads.vector_heads import VectorHead, Vectors
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.models.items.item_encoder import ItemEncoder, ItemVectors
from lit_rec.models.requirements import refuse_fields
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.users.user_encoder import UserEncoder


class Network(nn.Module, ABC):
    """Three stages (items, users, scores), each also used alone: by tables of vectors, indexes and explanations.

    ``has_item_table`` says whether items are encoded independently of rows: evaluation then encodes the catalogue once
    and looks its vectors up. ``gives`` is ``scores``, ``class_scores`` or ``vectors``, as for a ``Head``.
    ``gives_positions`` says whether training may predict at every position of a history. ``backbone`` is the text
    encoder, None where no text is read.
    """

    backbone: Backbone | None
    gives_positions = False
    has_item_table: ClassVar[bool]

    @property
    @abstractmethod
    def gives(self) -> str:
        """What ``score`` returns."""

    @property
    def looks_at_all(self) -> bool:
        """Whether ``calibrate`` needs all training items; otherwise it needs enough for a mean and a spread."""
        return False

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Measure the training items and their texts once, before training begins."""

    def calibrate_profiles(self, texts: Texts, users: Items) -> None:
        """Measure the training users' profiles once, before training begins."""

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
        given = batch.users.profiles
        profiles = None if given is None else self.encode_profiles(given.texts, given.users)
        return self.encode_items(batch.texts, batch.items), profiles

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

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Calibrate the item encoder, which centres its text vectors, for example."""
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

    Where users have profiles, the sum of a profile's fields is added to the user's vector; the item encoder's backbone
    encodes its texts.

    Args:
        facts: Facts of the data.
        item_encoder: From texts and ids to item vectors.
        user_encoder: From item vectors and histories to user vectors; takes the width.
        head: From both to scores; takes the width.
        repeats: Adds to the scores of items that are in the history, with a head of vectors; nothing by default.

    Shape:
        A batch of B rows with C candidates -> ``[B, C]`` float32, or ``[B, C, K]`` for class scores.

    Raises:
        ConfigError: If the parts do not fit: a head of vectors and an encoder with a user vector per candidate,
            ``repeats`` and a head that gives no vectors, or profiles and an item encoder that reads no text.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import request_batch
        >>> from lit_rec.models.heads import value_heads as heads
        >>> from lit_rec.models.items import id_item_encoder
        >>> from lit_rec.models.users import user_encoder
        >>> facts = Facts.example()
        >>> network = TwoTower(facts, id_item_encoder.IdItemEncoder, user_encoder.MeanUserEncoder, heads.DotHead)
        >>> batch = request_batch([], rows=np.array([0, 1]), user_row=0, now=None)
        >>> items = Items(torch.empty(2, 0), torch.arange(2), torch.tensor([1, 2]))
        >>> vectors = network.encode_items(batch.texts, items)
        >>> vectors.shape, network.score(network.encode_users(vectors, batch), vectors, batch).shape
        (torch.Size([2, 65]), torch.Size([1, 2]))
    """

    has_item_table = True

    def __init__(
        self,
        facts: Facts,
        item_encoder: Callable[[Facts], ItemVectors],
        user_encoder: Callable[[Facts, int], UserEncoder],
        head: Callable[[Facts, int], Head],
        repeats: Callable[[Facts], RepeatBias] | None = None,
    ) -> None:
        super().__init__(facts, item_encoder)
        self.user_encoder = user_encoder(facts, self.item_encoder.width)
        self.head = head(facts, self.item_encoder.width)
        if self.gives == "vectors" and self.user_encoder.per_candidate:
            raise ConfigError(
                f"{type(self.head).__name__} beside {type(self.user_encoder).__name__}",
                where=option_of(self, "user_encoder"),
                rule="a user has one vector, whatever the candidate, where all items are scored by inner products",
                remedy="use CausalTransformerUserEncoder, AdditiveAttentionUserEncoder or MeanUserEncoder",
            )
        if repeats is not None and self.gives != "vectors":
            raise ConfigError(
                f"repeats beside {type(self.head).__name__}",
                where=option_of(self, "repeats"),
                rule="what is added to the scores of items that a user had, where the next item is ranked by vectors",
                remedy="leave it out, or use CosineHead or InnerProductHead",
            )
        self.repeats = None if repeats is None else repeats(facts)
        self.profile = self._new_profile(facts) if facts.has_profiles else None

    def _new_profile(self, facts: Facts) -> FieldSum:
        if self.backbone is None:
            refuse_fields(type(self.item_encoder).__name__, facts)
        text_width = 0 if self.backbone is None else self.backbone.width
        sizes = len(facts.profile_texts), text_width, facts.user_fields, self.item_encoder.width
        # begun at random, it would hide what a short history says
        return FieldSum(*sizes, dropout=0.0).adding_nothing()

    @property
    def gives_positions(self) -> bool:  # type: ignore[override]
        """Whether the user encoder does."""
        return self.user_encoder.gives_positions

    def calibrate_profiles(self, texts: Texts, users: Items) -> None:
        """Centre the profiles' texts and numbers."""
        profile, encoder = self._profile()
        encoder.calibrate(texts, users, profile)

    def encode_profiles(self, texts: Texts, users: Items) -> Tensor:
        """Return what profiles add to user vectors ``[M, D]``."""
        profile, encoder = self._profile()
        return encoder.sum_of_fields(profile, texts, users)

    def encode_users(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return user vectors ``[B, D]``, or ``[B, C, D]`` where they depend on the candidate."""
        with torch.autocast(item_vectors.device.type, enabled=False):
            users: Tensor = self.user_encoder(item_vectors, batch)
        return _beside_profiles(users, batch, profiles)

    def encode_positions(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return users as they were before their histories and after each slot, ``[B, H + 1, D]``."""
        with torch.autocast(item_vectors.device.type, enabled=False):
            users = self.user_encoder.positions(item_vectors, batch)
        return _beside_profiles(users, batch, profiles)

    def training_outputs(self, batch: RecBatch) -> Tensor | Vectors:
        """Return scores; or vectors of users, at every position if there are positions, and of the batch's items."""
        head = self.head
        if not isinstance(head, VectorHead):
            return super().training_outputs(batch)
        item_vectors, profiles = self.encode_batch(batch)
        encode = self.encode_positions if self.gives_positions else self.encode_users
        users = encode(item_vectors, batch, profiles)
        with torch.autocast(users.device.type, enabled=False):
            code = batch.items.vocab_row
            repeats = self.repeats_of(batch, code.masked_fill(code == 0, -1))
            return Vectors(head.of_users(users), head.of_items(item_vectors), repeats)

    def repeats_of(self, batch: RecBatch, code: Tensor) -> Repeats | None:
        """Return what histories add to scores; None: nothing.

        Args:
            batch: The rows.
            code: ``[N]`` int64, the number of each of the batch's items; below 0 for items that are not scored.
        """
        if self.repeats is None:
            return None
        return self.repeats.of(code[batch.history.item_index], batch.history)

    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return what the head gives, plus what repeats add."""
        scores = super().score(users, item_vectors, batch)
        repeats = self.repeats_of(batch, torch.arange(len(item_vectors), device=scores.device))
        if repeats is None:
            return scores
        return repeats.at_ends(slice(None)).to_items(scores, batch.candidates.item_index)

    def _profile(self) -> tuple[FieldSum, ItemEncoder]:
        if self.profile is None or not isinstance(self.item_encoder, ItemEncoder):
            raise ValueError("the data that the network was built from has no profiles")
        return self.profile, self.item_encoder


def _beside_profiles(users: Tensor, batch: RecBatch, profiles: Tensor | None) -> Tensor:
    """Return users ``[B, D]`` or ``[B, ..., D]``, each plus what the row's profile adds."""
    if profiles is None or batch.users.profiles is None:
        return users
    of_row = profiles[batch.users.profiles.index]  # [B, D]
    return users + (of_row.unsqueeze(1) if users.dim() == 3 else of_row)
