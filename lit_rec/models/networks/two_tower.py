"""TwoTower: items encoded once, users from item vectors, a head on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from lit_rec.data.batches.batch import Items, RecBatch, Texts
from lit_rec.data.facts import Facts
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.heads.head import Head
from lit_rec.models.heads.item_neighbors import ItemNeighbors, NeighborScores
from lit_rec.models.heads.repeat_bias import RepeatBias, Repeats
from lit_rec.models.heads.vector_heads import VectorHead, Vectors
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.models.items.item_encoder import ItemEncoder, ItemVectors
from lit_rec.models.neighbors.nearest_texts import NEAREST, ReadItems
from lit_rec.models.networks.network import ItemNetwork
from lit_rec.models.requirements import refuse_fields
from lit_rec.models.starts.gaussian_process import GaussianProcessStart
from lit_rec.models.starts.rated_rows import RatedRows
from lit_rec.models.text.heavy_words import HeavyWords
from lit_rec.models.users.user_encoder import UserEncoder


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
        neighbors: Adds to the scores of items what the history's items say of them, with a head of vectors; nothing by
            default. Takes the width of an item's joined text vectors and the number of tokens, 0 where no text is read.
        start: A closed form that the network begins at, for ratings; takes the width of text vectors, 0 without text.
            Scores are ``start + share * (head - start)``, with a learned share that is 0 at the start. By default
            scores are the head's.

    Shape:
        A batch of B rows with C candidates -> ``[B, C]`` float32, or ``[B, C, K]`` for class scores.

    Raises:
        ConfigError: If the parts do not fit: a head of vectors and an encoder with a user vector per candidate,
            ``repeats`` or ``neighbors`` and a head that gives no vectors, ``neighbors`` by text and an encoder that is
            trained, ``start`` and a head that gives no scores, or profiles and an item encoder that reads no text.

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
        neighbors: Callable[[Facts, int, int], ItemNeighbors] | None = None,
        start: Callable[[Facts, int], GaussianProcessStart] | None = None,
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
                remedy=_or_vectors(facts),
            )
        self.repeats = None if repeats is None else repeats(facts)
        self.neighbors = None if neighbors is None else self._new_neighbors(facts, neighbors)
        self.start = None if start is None else self._new_start(facts, start)
        self.profile = self._new_profile(facts) if facts.has_profiles else None

    def _new_start(
        self, facts: Facts, build: Callable[[Facts, int], GaussianProcessStart]
    ) -> GaussianProcessStart:
        if self.gives != "scores":
            raise ConfigError(
                f"start beside {type(self.head).__name__}, which gives {self.gives.replace('_', ' ')}",
                where=option_of(self, "start"),
                rule="what ratings begin at, where the head gives a score for each candidate",
                remedy="leave it out, or use NeighborhoodHead or DotHead"
                if isinstance(facts.target, RatingTarget)
                else "leave it out",
            )
        encoder = self.item_encoder
        return build(facts, encoder.backbone.width if isinstance(encoder, ItemEncoder) else 0)

    def _new_neighbors(
        self, facts: Facts, build: Callable[[Facts, int, int], ItemNeighbors]
    ) -> ItemNeighbors:
        if self.gives != "vectors":
            raise ConfigError(
                f"neighbors beside {type(self.head).__name__}",
                where=option_of(self, "neighbors"),
                rule="what items say of others, where the next item is ranked by vectors",
                remedy=_or_vectors(facts),
            )
        encoder = self.item_encoder
        if not isinstance(encoder, ItemEncoder):
            return build(facts, 0, 0)
        width = len(facts.fields) * encoder.backbone.width
        part = build(facts, width, encoder.backbone.tokens)
        if part.nearest is not None and not encoder.is_frozen:
            given = part.given.get("text_weight")
            if given is None:
                return build(facts, 0, 0)
            raise ConfigError(
                f"neighbors by text beside an encoder that is trained (text_weight {given:g})",
                where=option_of(self, "neighbors"),
                rule="similar texts are found once, before training, by a frozen encoder",
                remedy="use FrozenTuning, or set text_weight to 0",
            )
        return part

    def _new_profile(self, facts: Facts) -> FieldSum:
        if self.backbone is None:
            part = type(self.item_encoder).__name__
            refuse_fields(part, facts, reads="ids", instead="ItemEncoder")
        text_width = 0 if self.backbone is None else self.backbone.width
        sizes = len(facts.profile_texts), text_width, facts.user_fields, self.item_encoder.width
        # begun at random, it would hide what a short history says
        return FieldSum(*sizes, dropout=0.0).adding_nothing()

    @property
    def gives_positions(self) -> bool:  # type: ignore[override]
        """Whether the user encoder does."""
        return self.user_encoder.gives_positions

    @property
    def table_width(self) -> int:
        """Width of the vectors of ``encode_items``: item vectors with their bias, and what else parts know of items."""
        own = self.item_encoder.width + 1 + (0 if self.neighbors is None else 2 * NEAREST)
        return own + (0 if self.start is None else self.start.columns)

    def encode_items(self, texts: Texts, items: Items) -> Tensor:
        """Return item vectors ``[N, table_width]``."""
        if self.start is not None:
            vectors = super().encode_items(texts, items)
            return torch.cat([vectors, self._start_columns(self.start, texts, items)], 1)
        if self.neighbors is None:
            return super().encode_items(texts, items)
        encoder, nearest, read = self.item_encoder, self.neighbors.nearest, None
        unknown = (items.vocab_row == 0).nonzero()[:, 0]
        if len(unknown) and nearest is not None and isinstance(encoder, ItemEncoder):
            found, new = encoder.encode_texts(texts), items.take(unknown)
            words = nearest.words.of(texts, new)
            read = ReadItems(encoder.unit_texts(found, texts, new), words)
            vectors = encoder.of_text_vectors(found, texts, items)
        else:
            vectors = super().encode_items(texts, items)
        return torch.cat([vectors, self.neighbors.described(items.vocab_row, read)], 1)

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Calibrate the item encoder, and what the start reads of texts."""
        super().calibrate(texts, items)
        if self.start is not None:
            self.start.calibrate(self._texts_of(texts, items))

    def fit_start(self, texts: Texts, items: Items, rows: RatedRows) -> None:
        """Fit the start to the training rows; after ``calibrate``, once, on all training items."""
        if self.start is not None:
            self.start.fit(rows, self._texts_of(texts, items), items.vocab_row)

    def _start_columns(self, start: GaussianProcessStart, texts: Texts, items: Items) -> Tensor:
        row = items.vocab_row
        if start.knows_rows:  # the columns are not read
            return torch.zeros(len(row), start.columns, device=row.device)
        of_texts = self._texts_of(texts, items)
        with torch.autocast(row.device.type, enabled=False):
            return start.of_items(of_texts, row)

    def _texts_of(self, texts: Texts, items: Items) -> Tensor:
        """Return the vectors of the items' texts ``[N, F, W]``, without gradients; F is 0 where no text is read."""
        if not isinstance(self.item_encoder, ItemEncoder):
            return torch.empty(len(items.vocab_row), 0, 0, device=items.vocab_row.device)
        with evaluation_mode(self.item_encoder):
            return self.item_encoder.encode_texts(texts).float()[items.text_index]

    @torch.no_grad()
    def read_items(self, parts: Sequence[tuple[Texts, Items]]) -> ReadItems | None:
        """Weigh the words of all known items, and return what ``neighbors`` compares; None: it reads no text.

        Args:
            parts: The items in the order of the vocabulary, in parts, each with its texts.
        """
        encoder = self.item_encoder
        nearest = None if self.neighbors is None else self.neighbors.nearest
        if nearest is None or not isinstance(encoder, ItemEncoder):
            return None
        nearest.words.fit(parts)
        words = [nearest.words.of(*part) for part in parts]
        with evaluation_mode(self):
            vectors = [encoder.unit_texts(encoder.encode_texts(part[0]), *part) for part in parts]
        heavy = HeavyWords(
            torch.cat([w.token for w in words]), torch.cat([w.weight for w in words])
        )
        return ReadItems(torch.cat(vectors), heavy)

    def vectors_of(self, table: Tensor) -> Tensor:
        """Return the item vectors and biases ``[N, width + 1]`` in a table ``[N, table_width]``."""
        return table[:, : self.item_encoder.width + 1]

    def described_in(self, table: Tensor) -> Tensor:
        """Return what ``neighbors`` or ``start`` know of the items of a table ``[N, table_width]``."""
        return table[:, self.item_encoder.width + 1 :]

    def keys(self, table: Tensor) -> Tensor:
        """Return what an index of a table's items searches: see ``Head.keys``."""
        return self.head.keys(self.vectors_of(table))

    def queries(self, users: Tensor) -> Tensor | None:
        """Return what an index is asked with, without what repeats and neighbors add: see ``Head.queries``.

        None where there is a start: then scores are no inner products.
        """
        found = None if self.start is not None else self.head.queries(users)
        if found is not None and self.neighbors is not None:
            found = found * self.neighbors.vector_share
        return found

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
            users: Tensor = self.user_encoder(self.vectors_of(item_vectors), batch)
        return _beside_profiles(users, batch, profiles)

    def encode_positions(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return users as they were before their histories and after each slot, ``[B, H + 1, D]``."""
        with torch.autocast(item_vectors.device.type, enabled=False):
            users = self.user_encoder.positions(self.vectors_of(item_vectors), batch)
        return _beside_profiles(users, batch, profiles)

    def training_outputs(self, batch: RecBatch) -> Tensor | Vectors:
        """Return scores; or vectors of users, at every position if there are positions, and of the batch's items."""
        head = self.head
        if not isinstance(head, VectorHead):
            return super().training_outputs(batch)
        # what neighbors add is not trained
        item_vectors = super().encode_items(batch.texts, batch.items)
        profiles = self._profiles(batch)
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

    def neighbors_of(
        self, batch: RecBatch, table: Tensor, row: Tensor | None = None
    ) -> NeighborScores | None:
        """Return what histories say of the items of a table ``[N, table_width]``; None: nothing.

        Args:
            batch: The rows.
            table: The items.
            row: ``[n]`` int64, the row of each of the batch's items in the table; None: they are the table's.
        """
        if self.neighbors is None:
            return None
        history = batch.history
        if row is not None:
            item = row[history.item_index] if len(row) else history.item_index
            history = replace(history, item_index=item.masked_fill(~history.mask, 0))
        return self.neighbors.of(self.described_in(table), history)

    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return what the head gives, plus what repeats and neighbors add, or beside what the start predicts."""
        scores = super().score(users, self.vectors_of(item_vectors), batch)
        if self.start is not None:
            with torch.autocast(item_vectors.device.type, enabled=False):
                begun: Tensor = self.start(self.described_in(item_vectors), batch)
                return begun + self.start.share * (scores - begun)
        candidates = batch.candidates.item_index
        repeats = self.repeats_of(batch, torch.arange(len(item_vectors), device=scores.device))
        if repeats is not None:
            scores = repeats.at_ends(slice(None)).to_items(scores, candidates)
        neighbors = self.neighbors_of(batch, item_vectors)
        return (
            scores
            if neighbors is None
            else neighbors.beside(scores) + neighbors.of_items(candidates)
        )

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


def _or_vectors(facts: Facts) -> str:
    """Return what to do about a part that only goes with vectors: with other tasks, another head would not go."""
    return "leave it out" + ", or use CosineHead or InnerProductHead" * facts.target.follows
