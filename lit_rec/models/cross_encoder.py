"""CrossEncoder: history and candidate read as one text."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lit_rec.data.batches import HistorySlots, Items, RecBatch, TextChunk, Texts
from lit_rec.data.facts import Facts
from lit_rec.models.backbone import Backbone
from lit_rec.models.networks import Network, refuse_fields
from lit_rec.models.pair_sequences import markers, pair_sequences
from lit_rec.models.pooling import MeanPooling, Pooling
from lit_rec.models.ranges import count, share

_GRADES = 5  # steps between the lowest and the highest rating


class CrossEncoder(Network):
    """The history's texts, newest first, and the candidate's in one sequence: every token sees every other. Accuracy first.

    What the user did with an item of the history (its rating in five steps, its event) is a learned vector that is added to the word
    vectors of the item's tokens. There is only ``score``: nothing of a row can be used for another.

    Args:
        facts: Facts of the data.
        backbone: The text encoder.
        pooling: From token vectors to one vector; takes the encoder's width.
        max_tokens: Longest sequence; by default 128, or the most that the encoder takes.
        dropout: Share of the pooled vector's coordinates dropped while training.
        max_tokens_per_chunk: Most tokens, padding included, that pass the encoder at once: sets the memory of a step.
        recompute: Compute each chunk again in the backward pass instead of keeping its activations.

    Raises:
        ConfigError: If a number is out of range.

    Reference:
        Nogueira & Cho 2019, Passage re-ranking with BERT, https://arxiv.org/abs/1901.04085.
    """

    has_item_table = False

    def __init__(
        self,
        facts: Facts,
        backbone: Callable[[Facts], Backbone],
        pooling: Callable[[int], Pooling] = MeanPooling,
        max_tokens: int = 128,
        dropout: float = 0.1,
        max_tokens_per_chunk: int = 8192,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        refuse_fields("CrossEncoder", facts)
        self.special = facts.special
        least = len(facts.special.prefix) + len(facts.special.suffix) + 2
        self.max_tokens = count("network.init_args.max_tokens", max_tokens, least=least)
        self.max_tokens_per_chunk = count(
            "network.init_args.max_tokens_per_chunk", max_tokens_per_chunk
        )
        self.recompute = recompute
        # the encoder takes this network's sequences, not the texts of single items
        self._backbone = backbone(facts.with_max_tokens(max_tokens))
        width = self._backbone.width
        self.pooling = pooling(width)
        self.dropout = nn.Dropout(share("network.init_args.dropout", dropout))
        self.events = len(facts.events) + 1
        self.deed = nn.Embedding((_GRADES + 1) * self.events, width)
        nn.init.zeros_(self.deed.weight)
        self.low, self.high = facts.rating_low, facts.rating_high
        self.start = facts.score_start
        labels = 2 if facts.task == "rating" else len(facts.labels)
        self._gives = "scores" if labels == 2 else "class_scores"
        self.last = nn.Linear(width, 1 if labels == 2 else labels)

    @property
    def backbone(self) -> Backbone:  # type: ignore[override]
        """The text encoder."""
        return self._backbone

    @property
    def gives(self) -> str:
        """Scores for ratings and two labels, class scores for more."""
        return self._gives

    def encode_items(self, texts: Texts, items: Items) -> Tensor:
        """Return nothing of each item ``[N, 0]``: items are read with the history alone."""
        return self.deed.weight.new_zeros(len(items.vocab_row), 0)

    def encode_users(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return nothing of each user ``[B, 0]``."""
        return item_vectors.new_zeros(len(batch), 0)

    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return scores ``[B, C]``, or ``[B, C, K]`` of more than two labels."""
        texts, slot = pair_sequences(batch, self.special, self.max_tokens)
        marks = Texts(self._marks(batch.history, texts, slot), texts.offsets)
        parts, order = [], []
        chunks = texts.chunks(self.max_tokens_per_chunk, self.special)
        beside = marks.chunks(self.max_tokens_per_chunk, markers(self.special))
        for chunk, marked in zip(chunks, beside, strict=True):
            if self.recompute and torch.is_grad_enabled():
                pooled = checkpoint(self._encode, chunk, marked, use_reentrant=False)
            else:
                pooled = self._encode(chunk, marked)
            parts.append(pooled)
            order.append(chunk.text_index)
        pooled = torch.cat(parts)[torch.argsort(torch.cat(order))]  # [B * C, backbone width]
        shape = batch.candidates.item_index.shape
        with torch.autocast(pooled.device.type, enabled=False):
            scores: Tensor = self.last(self.dropout(pooled)).view(*shape, -1)
        return scores if self._gives == "class_scores" else self.start + scores.squeeze(-1)

    def _encode(self, chunk: TextChunk, marked: TextChunk) -> Tensor:
        deed = self.deed(marked.input_ids)
        # mark 0 is a candidate's, a separator's or an unrated behavior's without an event
        deed = deed * (marked.input_ids > 0).unsqueeze(-1)
        tokens = self._backbone(chunk, deed)
        with torch.autocast(tokens.device.type, enabled=False):
            pooled: Tensor = self.pooling(tokens, chunk.mask)
        return pooled

    def _marks(self, history: HistorySlots, texts: Texts, slot: Tensor) -> Tensor:
        """Return what the user did with the item of each token ``[S]``: a row of ``deed``, 0 for nothing."""
        span = max(self.high - self.low, 1e-6)
        step = ((history.rating - self.low) / span * _GRADES).floor().clamp(0, _GRADES - 1)
        grade = torch.where(torch.isnan(history.rating), 0, step.nan_to_num(0).long() + 1)
        mark = grade * self.events + history.event  # [B, H]
        if not mark.numel():
            return torch.zeros_like(slot).int()
        pairs = texts.offsets.numel() - 1
        candidates = pairs // max(len(mark), 1)
        pair = torch.repeat_interleave(
            torch.arange(pairs, device=slot.device), texts.offsets.diff(), output_size=len(slot)
        )
        found = mark[pair // max(candidates, 1), slot.clamp(min=0)]
        return torch.where(slot >= 0, found, 0).int()
