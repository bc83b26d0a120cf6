"""ItemEncoder: from an item's texts, its other fields and its id to its vector."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.facts import Facts
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.ids import Ids, NoIds
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.passes import Finish, TextPasses
from lit_rec.models.text.pooling import MeanPooling, Pooling
from lit_rec.models.text.text_cache import CachedTexts
from lit_rec.ranges import count, part_of_all, penalty, share

_MOST = 4096  # items that the regression is solved over, those of most rows: it holds the square of their number


class ItemVectors(nn.Module, ABC):
    """From items to their vectors; subclasses say what they read of an item.

    Attributes:
        width: Width of an item vector, its bias coordinate left out.
        backbone: The text encoder; None where no text is read.

    Shape:
        texts of P, items of N -> ``[N, width + 1]`` float32; the last coordinate is the item's bias.
    """

    width: int
    backbone: Backbone | None

    @property
    def looks_at_all(self) -> bool:
        """Whether ``calibrate`` needs all training items; otherwise it needs enough for a mean and a spread."""
        return False

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Measure the training items once, before training begins."""

    @abstractmethod
    def forward(self, texts: Texts, items: Items) -> Tensor:
        """Return the item vectors."""


class ItemEncoder(ItemVectors):
    """i = sum_f v_f W_f x_f over the item's fields (see ``FieldSum``), plus what its id adds.

    Each distinct text is encoded once. The last coordinate of an item vector is the item's bias, so a table of vectors
    is all that scoring needs: the inner product of ``[u, 1]`` and ``[i, b_i]`` is ``u . i + b_i``.

    Args:
        facts: Facts of the data.
        backbone: The text encoder.
        pooling: From token vectors to a text vector; takes the encoder's width.
        width: Width of the item vector, its bias coordinate left out.
        ids: What an id adds; takes the number of ids and ``width``. Nothing by default.
        dropout: Share of a text vector's coordinates dropped while training.
        principal: Whether the projection of texts begins with their principal components: item vectors of similar texts
            are then near each other before any training. Otherwise it begins at random.
        balanced: Whether item vectors begin as the principal components of all fields together, texts and others. Each
            field counts alike, so that none dominates. Not needed with ``principal``, which uses texts alone.
        unit: Whether a text vector is first divided by its length, as cosines do: the length of a vector of a
            pretrained sentence encoder says little of what a text means.
        bias_penalty: Penalty of a ridge regression of the items' biases on their fields, see ``shared_ridge``. From it
            the fields' biases begin, and what an id adds to them. Each item counts by its rows. Infinite: they begin at
            0.
        max_tokens_per_chunk: Most tokens, padding included, that pass the encoder at once: sets the memory of a step.
        recompute: Compute each chunk again in the backward pass instead of keeping its activations.
        gradient_share: Share of a step's distinct texts, drawn again in each step, through which gradients reach
            encoder and pooling; later layers learn from every text. A smaller share takes less time and memory, and
            gives noisier gradients of the same mean. Meant for an encoder that is trained, in steps of many texts.
        max_kept_texts: How many texts of a catalogue, from its first, have their vectors cached in memory where encoder
            and pooling are frozen: each of them passes the encoder once, before training. A batch with any other text
            is encoded in its step.
        max_kept_tokens: How many tokens, special ones included, a catalogue may have for their vectors to be cached in
            memory, where lower layers are frozen and something above them is trained. Each text passes the frozen
            layers once, before training; steps and evaluations begin above them. ``4 * width of the encoder`` bytes a
            token: 0.7 GiB of 500,000 at a width of 384. Nothing is cached of a larger catalogue, or of an encoder that
            cannot begin in its middle.

    Shape:
        texts of P, items of N -> ``[N, width + 1]`` float32.

    Raises:
        ConfigError: If ``width`` or ``max_tokens_per_chunk`` is below 1, ``dropout`` is not from 0 to 1, or
            ``gradient_share`` is not above 0 and up to 1.

    Reference:
        Bachrach et al. 2014, Speeding up the Xbox recommender system, https://doi.org/10.1145/2645710.2645741 (the bias
        as a coordinate). Gao et al. 2021, https://arxiv.org/abs/2101.06983 (chunks recomputed in the backward pass).
        Cheng et al. 2022, https://arxiv.org/abs/2203.16755 (gradients through some of the inputs).

    Example:
        >>> from functools import partial
        >>> from lit_rec.models.text.backbone import ConfiguredBackbone
        >>> facts = Facts.example()
        >>> options = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> options["intermediate_size"] = 4
        >>> encoder = ItemEncoder(facts, partial(ConfiguredBackbone, model_type="bert", options=options), width=2)
        >>> texts = Texts(torch.tensor([5, 6, 7]), torch.tensor([0, 1, 3]))  # "5" and "6 7"
        >>> encoder(texts, Items(torch.tensor([[0], [1], [1]]), torch.arange(3), torch.tensor([1, 2, 0]))).shape
        torch.Size([3, 3])
    """

    backbone: Backbone

    def __init__(
        self,
        facts: Facts,
        backbone: Callable[[Facts], Backbone],
        pooling: Callable[[int], Pooling] = MeanPooling,
        width: int = 64,
        ids: Callable[[int, int], Ids] = NoIds,
        dropout: float = 0.0,
        principal: bool = False,
        balanced: bool = False,
        bias_penalty: float = math.inf,
        max_tokens_per_chunk: int = 8192,
        recompute: bool = False,
        gradient_share: float = 1.0,
        max_kept_texts: int = 200_000,
        max_kept_tokens: int = 500_000,
        unit: bool = False,
    ) -> None:
        super().__init__()
        self.width = count(self, "width", width)
        self.max_tokens_per_chunk = count(self, "max_tokens_per_chunk", max_tokens_per_chunk)
        self.recompute = recompute
        self.gradient_share = part_of_all(self, "gradient_share", gradient_share)
        share(self, "dropout", dropout)
        self._calls_of_all_ranks: Callable[[int], int] | None = None
        self.special = facts.special
        self.backbone = backbone(facts)
        self.pooling = pooling(self.backbone.width)
        self.fields = FieldSum(
            len(facts.fields),
            self.backbone.width,
            facts.item_fields,
            width,
            dropout,
            principal,
            balanced,
            unit,
        )
        self.bias_penalty = penalty(self, "bias_penalty", bias_penalty)
        # of each known item: the bias of its ratings, and the log of its share of the rows
        self._rated = (facts.item_bias, facts.item_log_frequency)
        self.ids = ids(len(facts.item_ids), width)
        if facts.item_bias:
            self.ids.start_at(torch.tensor([0.0, *facts.item_bias]))
        self.max_kept_texts = count(self, "max_kept_texts", max_kept_texts, 0)
        self.max_kept_tokens = count(self, "max_kept_tokens", max_kept_tokens, 0)
        parts = [*self.backbone.parameters(), *self.pooling.parameters()]
        self._is_frozen = not any(parameter.requires_grad for parameter in parts)
        self._cache = CachedTexts(self.backbone.width)
        self.register_load_state_dict_post_hook(_forget)  # type: ignore[no-untyped-call]

    def calibrate(self, texts: Texts, items: Items, fields: FieldSum | None = None) -> None:
        """Measure mean and spread of the fields before training.

        Args:
            texts: Texts of the training items.
            items: The training items.
            fields: Another sum of fields with the same encoder, to be calibrated instead of the item's own.
        """
        with evaluation_mode(self):
            vectors = self.encode_texts(texts)
        (fields or self.fields).calibrate(vectors, self._has_token(texts), items)
        if fields is None and self.looks_at_all and len(items.vocab_row):
            self._begin_biases(vectors, self._has_token(texts), items)

    @torch.no_grad()
    def _begin_biases(self, vectors: Tensor, has_token: Tensor, items: Items) -> None:
        """Begin with biases by ridge regression on the items' fields, and with ids that add what ratings say beyond.

        So a known item has from the first step the bias of its ratings. An item whose id is unknown or dropped has what
        its fields predict. Items count by their rows: the regression is best for items that are often rated, which will
        be asked about most.

        Args:
            vectors: Vectors of the texts ``[P, text_width]``.
            has_token: ``[P]`` bool, whether a text has a token.
            items: All N training items; their fields are calibrated.
        """
        row = items.vocab_row
        biases, log_frequency = (vectors.new_tensor([0.0, *values]) for values in self._rated)
        counts = log_frequency[row].exp()
        most = torch.argsort(counts, descending=True, stable=True)[:_MOST]
        self.fields.begin_biases(
            vectors, has_token, items.take(most), biases[row[most]], counts[most], self.bias_penalty
        )
        with evaluation_mode(self.fields):
            biases[row] -= self.fields(self.fields.project(vectors, has_token), items)[:, -1]
        self.ids.start_at(biases)

    def share(self, calls_of_all_ranks: Callable[[int], int]) -> None:
        """Let several processes share the encoder: from now on all of them call it equally often.

        Args:
            calls_of_all_ranks: From this process's number of chunks to the number of calls of every process.
        """
        self._calls_of_all_ranks = calls_of_all_ranks

    @property
    def looks_at_all(self) -> bool:
        """Whether the biases begin from the items' fields: what an id adds then depends on the fields of its item."""
        return math.isfinite(self.bias_penalty) and all(self._rated)

    @property
    def texts_to_cache(self) -> int:
        """Most texts of a catalogue to cache; 0 where processes share the encoder: all must call it equally often."""
        shared = self._calls_of_all_ranks is not None
        return self.max_kept_texts if self._is_frozen and not shared else 0

    @property
    def tokens_to_cache(self) -> int:
        """Most tokens of a catalogue to cache at the encoder's border; 0 where vectors of whole texts are cached."""
        shared = self._calls_of_all_ranks is not None
        if not self.max_kept_tokens or self._is_frozen or shared or not self.backbone.has_border:
            return 0
        return self.max_kept_tokens

    def cache_vectors(self, store: str, number: Tensor, vectors: Tensor) -> None:
        """Cache vectors ``[P, backbone width]`` of a store's texts ``number`` ``[P]``; forget its others."""
        self._cache.begin(store, len(vectors), vectors.device)
        self._cache.add(store, number, torch.ones_like(number), vectors)

    def cache_states(self, parts: Iterable[Texts], tokens: int) -> None:
        """Cache token vectors at the encoder's border for some texts of a store; its other texts are forgotten.

        Args:
            parts: The texts, some at a time.
            tokens: How many tokens they have together, special ones included.
        """
        for place, texts in enumerate(parts):
            number, store = texts.number, str(texts.store)
            if number is None:
                raise ValueError("texts without a store cannot be cached")
            if not place:
                self._cache.begin(store, tokens, number.device)
            for chunk in texts.chunks(self.max_tokens_per_chunk, self.special):
                states = self.backbone.border_states(chunk)[chunk.mask]
                self._cache.add(store, number[chunk.text_index], chunk.mask.sum(1), states)

    def encode_texts(self, texts: Texts) -> Tensor:
        """Return the vectors of the texts ``[P, backbone width]``; only what is not cached is encoded."""
        return self._finished(texts, _pooled, (self.backbone.width,))

    def encode_uncached(self, texts: Texts) -> Tensor:
        """Return the vectors of the texts ``[P, backbone width]``, all encoded, similar lengths together."""
        return self._in_chunks(texts, _pooled, (self.backbone.width,))

    def sum_of_fields(self, fields: FieldSum, texts: Texts, items: Items) -> Tensor:
        """Return ``[N, width + 1]``: the sum of the items' fields, each distinct text encoded once.

        Args:
            fields: The item's own, or another over the same encoder, such as that of users' profiles.
            texts: The texts.
            items: The items.
        """
        projected = self._finished(texts, fields.project, (fields.texts, fields.width + 1))
        with torch.autocast(projected.device.type, enabled=False):
            total: Tensor = fields(projected, items)
        return total

    def forward(self, texts: Texts, items: Items) -> Tensor:
        """Return the item vectors."""
        with_ids: Tensor = self.sum_of_fields(self.fields, texts, items) + self.ids(items.vocab_row)
        return with_ids

    @property
    def is_frozen(self) -> bool:
        """Whether nothing that makes vectors of texts is trained."""
        return self._is_frozen

    def of_text_vectors(self, vectors: Tensor, texts: Texts, items: Items) -> Tensor:
        """Return the item vectors of texts whose vectors ``[P, backbone width]`` are known already."""
        with torch.autocast(vectors.device.type, enabled=False):
            projected = self.fields.project(vectors, self._has_token(texts))
            with_ids: Tensor = self.fields(projected, items) + self.ids(items.vocab_row)
        return with_ids

    def unit_texts(self, vectors: Tensor, texts: Texts, items: Items) -> Tensor:
        """Return the items' text vectors, centred and joined, of length 1; 0 where an item has no token.

        The inner product of two items is the mean of their fields' cosines.

        Args:
            vectors: ``[P, backbone width]``, of the texts.
            texts: The texts.
            items: N items.

        Returns:
            ``[N, F * backbone width]``.
        """
        return self.fields.unit_texts(vectors, self._has_token(texts), items)

    def _finished(self, texts: Texts, finish: Finish, shape: tuple[int, ...]) -> Tensor:
        """Return ``finish`` of the texts' vectors, cached or encoded, ``[P, *shape]``."""
        number = texts.number
        if number is None or not len(number) or int(number.max()) >= self.texts_to_cache:
            return self._in_chunks(texts, finish, shape)
        vectors = self._cache.vectors(texts, self.encode_uncached)
        with torch.autocast(vectors.device.type, enabled=False):
            return finish(vectors, self._has_token(texts))

    def _in_chunks(self, texts: Texts, finish: Finish, shape: tuple[int, ...]) -> Tensor:
        """Encode the texts and return ``finish`` of their vectors ``[P, *shape]``, in their order."""
        passes = TextPasses(
            self.backbone,
            self.pooling,
            self.special,
            self.max_tokens_per_chunk,
            self.recompute,
            self.gradient_share if self.training else 1.0,
            self._calls_of_all_ranks,
        )
        cached = not self._is_frozen and self._cache.knows(texts)
        return passes.finished(texts, finish, shape, self._cache if cached else None)

    def _has_token(self, texts: Texts) -> Tensor:
        """Return a mask ``[P]``: False for an empty text that the tokenizer puts nothing around."""
        added = len(self.special.prefix) + len(self.special.suffix)
        return texts.offsets.diff() + added > 0


def _forget(encoder: ItemEncoder, incompatible: object) -> None:
    encoder._cache.clear()


def _pooled(vectors: Tensor, has_token: Tensor) -> Tensor:
    return vectors
