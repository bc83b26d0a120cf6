"""CausalTransformerUserEncoder: the user after every behavior, from that behavior and earlier ones."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from lit_rec.data.batches.batch import HistorySlots, RecBatch
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.row_blocks import length_groups
from lit_rec.models.users.user_encoder import UserEncoder
from lit_rec.ranges import count, share


class CausalTransformerUserEncoder(UserEncoder):
    """Self-attention over the item vectors of a history, where each slot attends to itself and earlier ones.

    A sequence trains at all of its positions at once, and no position depends on later ones. Positions are counted from
    the oldest slot: counted from the newest, an early slot would know how many follow, which evaluation cannot know. A
    window of more behaviors than ``max_length`` is refused; ``data.history.max_length`` sets how many a batch has.
    Histories of similar length are computed together, padded to the longest of them and not to the longest of the
    batch.

    Layers normalise before attention and before the feed-forward part, and once at the end. So deep and shallow ones
    train without warm-up and with ordinary learning rates, which is not so when normalising afterwards. A behavior
    enters as its item's vector, plus embeddings of its position and event, and a learned vector times its rating; ages
    and labels are not read. A user without history has a learned vector, trained by the first row of each sequence. The
    bias coordinate is 0: it would change all scores of a user alike.

    Args:
        facts: Facts of the data.
        width: Width of item and user vectors, the bias coordinate left out.
        layers: Number of layers.
        heads: Attention heads; they divide ``width``.
        hidden: Width of the feed-forward part, in units of ``width``.
        dropout: Share dropped of inputs, of attention weights and of what each layer adds, while training.
        max_length: Most behaviors of a history.
        recency: Where given, a user begins as the mean direction of the history's items, and the layers learn what to
            add to it. Each behavior weighs this many times as much as the next one; the weights are learned from there.
            Item vectors that are useful before training, such as projected texts, are then used from the first step on.

    Shape:
        ``positions``: ``[B, H + 1, width + 1]`` float32, at h the user after h behaviors; ``forward``:
        ``[B, width + 1]``, after all of them.

    Raises:
        ConfigError: If a number is below 1, ``dropout`` or ``recency`` is not from 0 to 1, or ``heads`` does not divide
            ``width``.

    Reference:
        Kang & McAuley 2018, Self-attentive sequential recommendation, https://arxiv.org/abs/1808.09781. Xiong et al.
        2020, On layer normalization in the Transformer architecture, https://arxiv.org/abs/2002.04745 (where to
        normalise).

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> seen = [Seen(item=0, rating=4.0, event=0, timestamp=float("nan"), label=0)]
        >>> batch = request_batch(seen, rows=np.array([1, 2]), user_row=0, now=None)  # a history of one slot
        >>> facts = Facts.example()
        >>> encoder = CausalTransformerUserEncoder(facts, width=4)
        >>> encoder(torch.zeros(3, 5), batch).shape, encoder.positions(torch.zeros(3, 5), batch).shape
        (torch.Size([1, 5]), torch.Size([1, 2, 5]))
    """

    gives_positions = True

    def __init__(
        self,
        facts: Facts,
        width: int,
        layers: int = 2,
        heads: int = 2,
        hidden: int = 4,
        dropout: float = 0.2,
        max_length: int = 50,
        recency: float | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("layers", layers), ("hidden", hidden), ("max_length", max_length)):
            count(self, name, value)
        share(self, "recency", recency or 0.0)
        share(self, "dropout", dropout)
        if heads < 1 or width % heads:
            raise ConfigError(
                f"{heads} heads do not divide a width of {width}",
                where=option_of(self, "heads"),
                rule="a number that divides the width of item vectors",
                remedy=f"set it to one of {', '.join(str(n) for n in (1, 2, 4, 8) if width % n == 0)}",
            )
        self.max_length = max_length
        self.mean = facts.rating_mean
        self.spread = max(facts.rating_high - facts.rating_low, 1e-6) / 4
        self.position = nn.Embedding(max_length, width)
        self.event = nn.Embedding(len(facts.events) + 1, width, padding_idx=0)
        self.rating = nn.Parameter(torch.zeros(width))
        self.empty = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.position.weight, std=0.02)
        nn.init.normal_(self.event.weight[1:], std=0.02)
        # not trained if no behavior has an event or rating: it would never get a gradient
        self.event.weight.requires_grad_(len(facts.events) > 0)
        self.rating.requires_grad_(facts.rating_high > facts.rating_low)
        self.enter = nn.Sequential(nn.LayerNorm(width), nn.Dropout(dropout))
        self.layers = nn.ModuleList(
            _Layer(width, heads, hidden * width, dropout) for _ in range(layers)
        )
        self.leave = nn.LayerNorm(width)
        self.recent = None if recency is None else _RecentMean(width, max_length, recency)

    def positions(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the user before the first slot and after each.

        Raises:
            ConfigError: If a history is longer than ``max_length``.
        """
        slots = batch.history.mask.shape[1]
        found = [
            # padded by the bias coordinate, and by the slots that this group lacks
            (rows, functional.pad(vectors, (0, 1, 0, slots - vectors.shape[1])))
            for rows, vectors in self._groups(item_vectors, batch.history)
        ]
        start = functional.pad(self.empty, (0, 1)).expand(len(batch), 1, -1)
        return torch.cat([start, _in_order(found)], 1)  # [B, H + 1, width + 1]

    def forward(self, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return the user after the whole history."""
        length = batch.history.mask.sum(1)
        last = (length - 1).clamp(min=0)
        found = [
            (rows, vectors[torch.arange(len(rows), device=rows.device), last[rows]])
            for rows, vectors in self._groups(item_vectors, batch.history)
        ]
        users = torch.where(length.unsqueeze(1) > 0, _in_order(found), self.empty)
        return functional.pad(users, (0, 1))

    def _groups(
        self, item_vectors: Tensor, history: HistorySlots
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield rows ``[b]`` of similar length, and the users ``[b, L, width]`` at their slots; every row once."""
        self._check(history.mask.shape[1])
        # A row without history is computed, too, as if it had one slot: in a batch of such rows parameters would
        # otherwise get no gradient.
        room = (0, int(not history.mask.shape[1]))
        for rows, longest in length_groups(history.mask.sum(1).clamp(min=1)):
            item, event, rating = (
                functional.pad(of_slots, room)[rows, :longest]
                for of_slots in (history.item_index, history.event, history.rating)
            )
            items = item_vectors[item, :-1]
            vectors = items + self.position.weight[:longest] + self.event(event)
            level = torch.nan_to_num((rating - self.mean) / self.spread)  # no rating: NaN
            vectors = self.enter(vectors + level.unsqueeze(-1) * self.rating)
            for layer in self.layers:
                # padding is on the right: no real slot attends to it
                vectors = layer(vectors)
            vectors = self.leave(vectors)
            yield rows, vectors if self.recent is None else self.recent(items, vectors)

    def _check(self, slots: int) -> None:
        if slots > self.max_length:
            raise ConfigError(
                f"a history of {slots} behaviors for an encoder that has {self.max_length} positions",
                where=option_of(self, "max_length"),
                rule="at least History.max_length",
                # other batches may have longer ones
                remedy=f"set it to what History.max_length is, or History.max_length to {self.max_length}",
            )


class _RecentMean(nn.Module):
    """The weighted mean direction of a history's items, plus a learned part that begins at 0."""

    def __init__(self, width: int, max_length: int, recency: float) -> None:
        super().__init__()
        ratio = math.log(max(recency, 1e-6))
        self.log_weight = nn.Parameter(ratio * torch.arange(max_length))  # by how long ago
        self.beside = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.beside.weight)

    def forward(self, items: Tensor, learned: Tensor) -> Tensor:
        """Return users at each slot ``[B, H, width]`` from its item and the layers' output, ``[B, H, width]`` each."""
        slot = torch.arange(items.shape[1], device=items.device)
        ago = slot.unsqueeze(1) - slot
        weight = self.log_weight[ago.clamp(min=0)].masked_fill(ago < 0, -torch.inf).softmax(1)
        mean = weight @ functional.normalize(items, dim=-1)
        recent: Tensor = functional.normalize(mean, dim=-1) + self.beside(learned)
        return recent


def _in_order(found: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Join the values of groups of rows, in the order of the rows."""
    rows, vectors = (torch.cat(part) for part in zip(*found, strict=True))
    return vectors[torch.argsort(rows)]


class _Layer(nn.Module):
    """Causal self-attention, then a feed-forward part, each added to its input."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before_attention, self.before_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.into = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.hidden = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, vectors: Tensor) -> Tensor:
        """Return ``[B, H, width]`` for vectors of the same shape."""
        rows, length, width = vectors.shape
        parts = self.into(self.before_attention(vectors))  # [B, H, 3 * width]
        queries, keys, values = (
            part.view(rows, length, self.heads, width // self.heads).transpose(
                1, 2
            )  # [B, heads, H, width / heads]
            for part in parts.chunk(3, -1)
        )
        attended = functional.scaled_dot_product_attention(
            queries, keys, values, dropout_p=self.dropout * self.training, is_causal=True
        )
        joined = attended.transpose(1, 2).reshape(rows, length, width)
        vectors = vectors + self.drop(self.out(joined))
        added: Tensor = self.drop(self.hidden(self.before_hidden(vectors)))
        return vectors + added
