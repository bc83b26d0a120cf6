"""CrossEncoder: history and candidate as one text; and RatingBiases, with which its ratings begin."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lit_rec.data.batches.batch import HistorySlots, Items, RecBatch, TextChunk, Texts
from lit_rec.data.facts import Facts
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.answers import RatingAnswers
from lit_rec.models.networks.network import Network
from lit_rec.models.networks.pair_text import markers, pair_sequences
from lit_rec.models.networks.slot_order import NewestFirst, SlotOrder
from lit_rec.models.requirements import refuse_fields
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.pooling import MeanPooling, Pooling
from lit_rec.models.text.word_shift import shift_of
from lit_rec.ranges import count, positive, share

GRADES = 5  # steps between the lowest and the highest rating


class CrossEncoder(Network):
    """The candidate's text and the history's in one sequence, where every token sees every other: accurate and slow.

    Beside the words of a history's item, the encoder reads what the user did with it. Two vectors are added to the word
    vectors of the item's tokens: a learned one for its event and its label, or its rating in five steps; and another,
    times how far the rating lies above user and item biases. For ratings the score begins at mean + biases
    (``RatingBiases``), and the encoder learns the rest. There is only ``score``: nothing computed for a row can be used
    for another.

    Args:
        facts: Facts of the data.
        backbone: The text encoder.
        pooling: From token vectors to one vector; takes the encoder's width.
        max_tokens: Longest sequence; by default 128, or the most that the encoder takes.
        order: Which items of the history are read first, as few fit in: the newest by default.
        dropout: Share of the pooled vector's coordinates dropped while training.
        bias_dropout: Share of a batch's items whose bias is left out while training, for ratings; see ``RatingBiases``.
        max_tokens_per_chunk: Most tokens, padding included, that pass the encoder at once: sets the memory of a step.
        recompute: Compute each chunk again in the backward pass instead of keeping its activations.

    Shape:
        A batch of B rows with C candidates -> ``[B, C]`` float32, or ``[B, C, K]`` of more than two labels.

    Raises:
        ConfigError: If a number is out of range, or the data has fields or profiles that would not be read.

    Reference:
        Nogueira & Cho 2019, Passage re-ranking with BERT, https://arxiv.org/abs/1901.04085.

    Example:
        >>> import dataclasses, functools, numpy as np
        >>> from lit_rec.data.batches.request import request_batch
        >>> from lit_rec.models.text.backbone import ConfiguredBackbone
        >>> facts = Facts.example()
        >>> options = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> options["intermediate_size"] = 4
        >>> backbone = functools.partial(ConfiguredBackbone, model_type="bert", options=options)
        >>> network = CrossEncoder(facts, backbone, max_tokens=16)
        >>> items = Items(torch.tensor([[0], [1]]), torch.arange(2), torch.tensor([1, 2]))
        >>> batch = request_batch([], rows=np.array([0, 1]), user_row=0, now=None)
        >>> texts = Texts(torch.tensor([5, 6, 7]), torch.tensor([0, 1, 3]))
        >>> batch = dataclasses.replace(batch, texts=texts, items=items)
        >>> network(batch).tolist()  # before training, the mean rating
        [[3.0, 3.0]]
    """

    has_item_table = False

    def __init__(
        self,
        facts: Facts,
        backbone: Callable[[Facts], Backbone],
        pooling: Callable[[int], Pooling] = MeanPooling,
        max_tokens: int = 128,
        order: SlotOrder | None = None,
        dropout: float = 0.1,
        bias_dropout: float = 0.1,
        max_tokens_per_chunk: int = 8192,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        refuse_fields("CrossEncoder", facts, reads="texts", instead="TwoTower")
        self.special = facts.special
        least = len(facts.special.prefix) + len(facts.special.suffix) + 2
        self.max_tokens = count(self, "max_tokens", max_tokens, least=least)
        self.max_tokens_per_chunk = count(self, "max_tokens_per_chunk", max_tokens_per_chunk)
        self.recompute = recompute
        share(self, "bias_dropout", bias_dropout)
        # the encoder reads this network's sequences, not the texts of single items
        try:
            self._backbone = backbone(facts.with_max_tokens(max_tokens))
        except ConfigError as error:
            theirs = option_of("BehaviorDataModule", "max_tokens")
            ours = option_of(self, "max_tokens")
            raise error.reworded(lambda text: text.replace(theirs, ours)) from error
        width = self._backbone.width
        self.pooling = pooling(width)
        self.dropout = nn.Dropout(share(self, "dropout", dropout))
        self.events = len(facts.events) + 1
        self.order = order or NewestFirst()
        self.reads_labels = facts.history_labels
        grades = len(facts.labels) if facts.history_labels else GRADES
        self.deed = nn.Embedding((grades + 1) * self.events, width)
        nn.init.zeros_(self.deed.weight)
        self.low, self.high = facts.rating_low, facts.rating_high
        self.start = facts.score_start
        rated = isinstance(facts.target, RatingTarget)
        self.biases = RatingBiases(facts, bias_dropout) if rated else None
        self.beyond = nn.Parameter(torch.zeros(width), requires_grad=rated)
        several = len(facts.labels) > 2
        self._gives = "class_scores" if several else "scores"
        self.last = nn.Linear(width, len(facts.labels) if several else 1)
        if rated:  # before training the network predicts what the biases predict
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)

    @property
    def backbone(self) -> Backbone:  # type: ignore[override]
        """The text encoder."""
        return self._backbone

    @property
    def gives(self) -> str:
        """Class scores for more than two labels, else scores."""
        return self._gives

    def encode_items(self, texts: Texts, items: Items) -> Tensor:
        """Return empty vectors ``[N, 0]``: items are read together with the history."""
        return self.deed.weight.new_zeros(len(items.vocab_row), 0)

    def encode_users(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return empty vectors ``[B, 0]``: users are read together with the candidate."""
        return item_vectors.new_zeros(len(batch), 0)

    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return scores ``[B, C]``, or ``[B, C, K]`` of more than two labels."""
        texts, slot = pair_sequences(batch, self.order(batch), self.special, self.max_tokens)
        bias, beyond = (
            self.biases(batch) if self.biases else (0.0, torch.zeros_like(batch.history.rating))
        )
        # indexed by place among all slots of the batch; place 0 is for candidates and separators
        mark = _after_nothing(self._marks(batch.history))
        level = _after_nothing(beyond)
        places = Texts(_places(batch, texts, slot), texts.offsets)
        parts, order = [], []
        chunks = texts.chunks(self.max_tokens_per_chunk, self.special)
        beside = places.chunks(self.max_tokens_per_chunk, markers(self.special))
        shift = shift_of(texts, self._backbone, self.special)
        for chunk, placed in zip(chunks, beside, strict=True):
            # [P', T], [P', T], [P', T, width]
            moved = None if shift is None else shift(chunk)
            done = mark[placed.input_ids], level[placed.input_ids], moved
            if self.recompute and torch.is_grad_enabled():
                pooled = checkpoint(self._encode, chunk, *done, use_reentrant=False)
            else:
                pooled = self._encode(chunk, *done)
            parts.append(pooled)
            order.append(chunk.text_index)
        pooled = torch.cat(parts)[torch.argsort(torch.cat(order))]  # [B * C, backbone width]
        shape = batch.candidates.item_index.shape
        with torch.autocast(pooled.device.type, enabled=False):
            scores: Tensor = self.last(self.dropout(pooled)).view(*shape, -1)
        return scores if self._gives == "class_scores" else self.start + bias + scores.squeeze(-1)

    def _encode(
        self, chunk: TextChunk, mark: Tensor, level: Tensor, shift: Tensor | None
    ) -> Tensor:
        # mark 0: nothing was done, or the behavior has neither rating nor event
        deed = self.deed(mark) * (mark > 0).unsqueeze(-1)
        beside = deed + level.unsqueeze(-1) * self.beyond
        tokens = self._backbone(chunk, beside if shift is None else beside + shift)
        with torch.autocast(tokens.device.type, enabled=False):
            pooled: Tensor = self.pooling(tokens, chunk.mask)
        return pooled

    def _marks(self, history: HistorySlots) -> Tensor:
        """Return what the user did, as rows of ``deed`` ``[B, H]``; 0 for nothing."""
        if self.reads_labels:
            return history.label * self.events + history.event
        span = max(self.high - self.low, 1e-6)
        step = ((history.rating - self.low) / span * GRADES).floor().clamp(0, GRADES - 1)
        grade = torch.where(torch.isnan(history.rating), 0, step.nan_to_num(0).long() + 1)
        return grade * self.events + history.event


def _after_nothing(of_slot: Tensor) -> Tensor:
    """Return values of slots ``[B, H]`` as ``[1 + B * H]``, the first of them 0."""
    return torch.nn.functional.pad(of_slot.flatten(), (1, 0))


def _places(batch: RecBatch, texts: Texts, slot: Tensor) -> Tensor:
    """Return for each token of the pairs' texts 1 + its slot's place among all of the batch ``[S]``; 0 for no slot."""
    pairs, (rows, slots) = len(texts), batch.history.mask.shape
    pair = torch.repeat_interleave(
        torch.arange(pairs, device=slot.device), texts.offsets.diff(), output_size=len(slot)
    )
    row = pair // max(pairs // max(rows, 1), 1)
    return torch.where(slot >= 0, 1 + row * slots + slot, 0).int()


class RatingBiases(nn.Module):
    """User bias + item bias, so that a network that reads texts begins with what plain means predict.

    An item's bias is that of the training ratings (``Facts.item_bias``), 0 for an item without any. A user's bias is
    the shrunk mean of the history's ratings minus mean and item biases, so it holds for users whom training never saw.

    Args:
        facts: Facts of the data.
        dropout: Share of a batch's distinct items whose bias is left out while training, so that texts learn how good
            items are that training never saw.
        shrinkage: How strongly the user's bias is shrunk, in ratings, at the start (learned).

    Shape:
        A batch of B rows -> biases ``[B, C]``, to be added to the mean rating; and ``[B, H]``, how far each rating of
        the history lies above mean and biases, in quarters of the range of ratings (0 where there is no rating).

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
        """Return the biases of the candidates, and how far the history's ratings lie above them."""
        item = self.item_bias[batch.items.vocab_row]  # [N]
        if self.training and self.dropout > 0:
            item = item * (torch.rand(item.shape, device=item.device) >= self.dropout)
        shrinkage = self.log_shrinkage.exp()
        user, residuals = self.answers.beyond_user(item.unsqueeze(1), batch.history, shrinkage)
        beyond = residuals.residual / self.answers.spread
        return user.unsqueeze(1) + item[batch.candidates.item_index], beyond
