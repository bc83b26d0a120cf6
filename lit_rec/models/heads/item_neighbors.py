"""ItemNeighbors: what the items of a history say of all others, in closed form, beside what vectors say."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import HistorySlots
from lit_rec.data.facts import Facts
from lit_rec.models.neighbors.add_ease import AddEase
from lit_rec.models.neighbors.baskets import Baskets
from lit_rec.models.neighbors.item_tables import NeighborTable, recency_weights
from lit_rec.models.neighbors.nearest_texts import NEAREST, NearestTexts, ReadItems
from lit_rec.ranges import count, not_negative, part_of_all, positive

# chosen on validation rows of a draw in which every fifth item was new: docs/notes/next_item.md
_ITSELF = 0.05  # how much more a new item is like those that represent it, in units of the table
_AGAIN = 0.8  # what a behavior says of its own item, by that of the next one
_NUMBERS = 2**24  # that are held at once: bounds the memory, not the result


class ItemNeighbors(nn.Module):
    """Add to the scores of items what each item of the history says of them, the newest the most.

    The score of item j is ``share * (vectors and repeats) + r(j) * sum_h recency^a(h) * T[h, j]``, where a(h) is the
    number of behaviors after h, and ``r(j) = ((m + 1) / (n(j) + 1)) ** rarity`` with n users of j and m of a mean item.
    T is fitted once, on training rows, before the first step: the ridge regression of each item on all others, where
    items with similar texts count as if some users had both (EASE with ``text_weight`` times the texts' inner products
    added to ``X'X``). Of each item the ``neighbors`` largest positive weights are kept. So a model begins as the closed
    form, and what its vectors learn comes on top: they are trained by themselves, because the closed form knows the
    training rows too well to say what it lacks.

    An item that training never saw is represented by the known items with the nearest texts, by their vectors and by
    the words that few items have. An item says ``repeat_weight * 0.8^a(h)`` of itself; more of whether items come again
    is what ``RepeatBias`` learns. Where the weight is chosen, so is what stands for 0.8.

    Args:
        facts: Facts of the data.
        text_width: Width of an item's joined text vectors; 0: no text is read.
        tokens: Number of tokens that the encoder knows; 0: no text is read.
        neighbors: K, how many others each item says something of.
        penalty: Of the ridge regression; None: the one with the best nDCG@10 of held-out training rows, as are the next
            two.
        text_weight: How much similar texts count in it; 0: not at all.
        recency: What each behavior counts less than the next one.
        share: What vectors count; None: before each validation while training, the share with the best nDCG@10 among
            unseen items is chosen on up to 5,000 validation rows, from a few between 0 and 5. Where there are no
            validation rows it is 0.1.
        rarity: How much more is said of items with few users, beside vectors that know what is popular; None: chosen
            with the share, 0 where there are no validation rows.
        new_item_weight: What is said of items that training never saw counts so much; above 1, lists have more of them.
            None: chosen with the share, from 0.25 to 1.25; 1 where there are no validation rows.
        repeat_weight: What an item of the history says of itself. Above 0, what was viewed may be what is bought. None:
            chosen with the share, from 0 to 20; 0 where there are no validation rows.

    Shape:
        ``described`` ``[N, 2 * 5]``: up to five rows of the vocabulary that represent an item, and their weights.

    Raises:
        ConfigError: If ``neighbors`` is below 1, ``penalty``, ``share`` or ``new_item_weight`` is not above 0,
            ``text_weight``, ``rarity`` or ``repeat_weight`` is below 0, or ``recency`` is not above 0 and at most 1.

    Reference:
        Steck 2019, https://arxiv.org/abs/1905.03375 (EASE); Jeunen et al. 2020, Closed-form models for collaborative
        filtering with side-information, https://doi.org/10.1145/3383313.3418480 (texts beside users).

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> part = ItemNeighbors(Facts.example("next_item"), 0, 0, penalty=1.0, recency=0.8)
        >>> part.fit(Baskets(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), items=2), None)
        >>> table = part.described(torch.tensor([1, 2]), None)  # both items are known
        >>> seen = [Seen(item=0, rating=float("nan"), event=0, timestamp=float("nan"), label=0)]
        >>> history = request_batch(seen, rows=np.array([0, 1]), user_row=0, now=None).history
        >>> part.of(table, history).of_all(slice(None))  # 2 / (2 + 1), both users had both
        tensor([[0.0000, 0.6667]])
    """

    index: Tensor
    value: Tensor
    users: Tensor
    recency: Tensor
    vector_share: Tensor
    rarity: Tensor
    new_weight: Tensor
    repeat_weight: Tensor
    repeat_recency: Tensor

    def __init__(
        self,
        facts: Facts,
        text_width: int,
        tokens: int,
        neighbors: int = 100,
        penalty: float | None = None,
        text_weight: float | None = None,
        recency: float | None = None,
        share: float | None = None,
        rarity: float | None = None,
        new_item_weight: float | None = 1.0,
        repeat_weight: float | None = 0.0,
    ) -> None:
        super().__init__()
        rows = len(facts.item_ids) + 1
        kept = min(count(self, "neighbors", neighbors), max(rows - 2, 1))
        given: dict[str, float] = {}
        if penalty is not None:
            given["penalty"] = positive(self, "penalty", penalty)
        if text_weight is not None:
            given["text_weight"] = not_negative(self, "text_weight", text_weight)
        if recency is not None:
            given["recency"] = part_of_all(self, "recency", recency)
        if not text_width:
            given["text_weight"] = 0.0
        self.given = given
        self.chooses_share, self.chooses_rarity = share is None, rarity is None
        self.chooses_new_weight = new_item_weight is None
        self.chooses_repeat_weight = repeat_weight is None
        again = 0.0 if repeat_weight is None else not_negative(self, "repeat_weight", repeat_weight)
        new = 1.0 if new_item_weight is None else new_item_weight
        begins = 0.0 if share is None else positive(self, "share", share)
        raises = 0.0 if rarity is None else not_negative(self, "rarity", rarity)
        # row 0 is for items that training never saw, and stays 0
        self.register_buffer("index", torch.zeros(rows, kept, dtype=torch.int32))
        self.register_buffer("value", torch.zeros(rows, kept))
        asks = given.get("text_weight") != 0
        self.nearest = NearestTexts(rows - 1, text_width, tokens) if asks else None
        self.register_buffer("users", torch.zeros(rows))
        self.register_buffer("recency", torch.tensor(given.get("recency", 1.0)))
        self.register_buffer("vector_share", torch.tensor(begins))
        self.register_buffer("rarity", torch.tensor(raises))
        self.register_buffer("new_weight", torch.tensor(positive(self, "new_item_weight", new)))
        self.register_buffer("repeat_weight", torch.tensor(again))
        self.register_buffer("repeat_recency", torch.tensor(_AGAIN))

    @torch.no_grad()
    def fit(
        self, baskets: Baskets, read: ReadItems | None, options: dict[str, float] | None = None
    ) -> None:
        """Fit the table on training rows.

        Args:
            baskets: The training users' items, numbered by rows of the vocabulary less 1.
            read: What is read of these items; None: no text.
            options: ``penalty``, ``text_weight`` and ``recency``, where they were not given.
        """
        options = self.given | (options or {})
        device = self.value.device
        text = torch.zeros(baskets.items, 0, device=device)  # says where the table is computed
        if read is not None and self.nearest is not None:
            self.nearest.fit(read)
            text = read.vectors
        table = AddEase(baskets, text).table(options["penalty"], options["text_weight"])
        index, value = table.strongest(self.value.shape[1])
        width = value.shape[1]
        self.value[1:, :width] = value.to(device)
        self.index[1:, :width] = torch.where(value > 0, index + 1, 0).to(device).int()
        self.users[1:] = torch.from_numpy(baskets.counts).to(device)
        self.recency.fill_(options["recency"])

    def table(self) -> NeighborTable:
        """Return what known items say of each other, by rows of the vocabulary less 1, on the CPU."""
        return NeighborTable((self.index[1:] - 1).clamp(min=0).cpu(), self.value[1:].cpu())

    @torch.no_grad()
    def described(self, vocab_row: Tensor, new: ReadItems | None) -> Tensor:
        """Return the known items that represent each item, and their weights ``[N, 2 * 5]``.

        A known item represents itself. Where no text is read, an unknown one has no weights.

        Args:
            vocab_row: ``[N]`` int64, 0: unknown.
            new: What is read of the unknown ones, in their order; it may be None where all items are known.
        """
        row = vocab_row.new_zeros(len(vocab_row), NEAREST)
        weight = self.value.new_zeros(len(vocab_row), NEAREST)
        row[:, 0], weight[:, 0] = vocab_row, (vocab_row > 0).float()
        if new is not None and self.nearest is not None:
            unknown = (vocab_row == 0).nonzero()[:, 0]
            near, similar = self.nearest.of(new)
            row[unknown, : near.shape[1]], weight[unknown, : near.shape[1]] = near, similar
        # rows as floats are exact up to 2^24: they are part of the table of item vectors, and follow it everywhere
        return torch.cat([row.float(), weight], 1)

    def of(self, described: Tensor, history: HistorySlots) -> NeighborScores:
        """Return what histories say of items.

        Args:
            described: ``[N, 2 * 5]`` of a table of items, into which ``history.item_index`` points.
            history: The histories.
        """
        # a checkpoint's table may come from anybody: a row that is none must not be read
        row = described[:, :NEAREST].nan_to_num(0).clamp(0, len(self.value) - 1).long()
        weight = described[:, NEAREST:]
        behavior = recency_weights(history.mask, self.recency)
        return NeighborScores(self, row, weight, history.item_index, behavior, history.mask)

    def said(self, row: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return what histories say of the vocabulary, and of what they consist of it, ``[b, V + 1]`` each.

        Args:
            row: ``[b, H]`` int64 rows of the vocabulary; they may repeat.
            weight: ``[b, H]``, how much each counts.
        """
        own = weight.new_zeros(len(row), len(self.value)).scatter_add_(1, row, weight)
        total = torch.zeros_like(own)
        place, source = own.nonzero(as_tuple=True)
        step = max(_NUMBERS // self.value.shape[1], 1)
        for start in range(0, len(place), step):
            at, of = place[start : start + step], source[start : start + step]
            column = self.index[of].long() + (at * len(self.value)).unsqueeze(1)  # [n, K]
            value = self.value[of] * own[at, of].unsqueeze(1)
            total.view(-1).index_add_(0, column.flatten(), value.flatten())
        if self.rarity:
            users = self.users[1:].mean()
            total.mul_(((users + 1) / (self.users + 1)) ** self.rarity)
        return total, own


@dataclass(frozen=True)
class NeighborScores:
    """What histories say of the items of a table.

    Shape:
        row, weight: ``[N, 5]``, the known items that represent each item. item: ``[B, H]`` int64 items of the
            histories. behavior: ``[B, H]``, what each behavior counts, 0 in padding. mask: ``[B, H]`` bool.
    """

    part: ItemNeighbors
    row: Tensor
    weight: Tensor
    item: Tensor
    behavior: Tensor
    mask: Tensor

    def beside(self, scores: Tensor) -> Tensor:
        """Return scores of vectors times what they count."""
        return scores * self.part.vector_share

    @torch.no_grad()
    def of_all(self, rows: slice) -> Tensor:
        """Return what is added to the scores of all items of the table ``[b, N]`` for some histories."""
        said, own = self._said(rows)
        found = said[:, self.row[:, 0]] * self.weight[:, 0]
        new = (~self._known).nonzero()[:, 0]
        # what a new item is like is a reason for it; a known one would only be shown again
        said = said.add_(own, alpha=_ITSELF).mul_(self.part.new_weight)
        step = max(_NUMBERS // (NEAREST * max(len(said), 1)), 1)
        for some in torch.split(new, step):
            found[:, some] = (said[:, self.row[some]] * self.weight[some]).sum(2)
        return found.scatter_add_(1, self.item[rows], self._again(rows))

    @torch.no_grad()
    def of_items(self, item: Tensor) -> Tensor:
        """Return what is added to the scores of items ``[B, C]`` of the table."""
        repeats = bool(self.part.repeat_weight)  # most models have none, and compare nothing
        compared = self.item.shape[1] if repeats else 0
        width = len(self.part.value) + item.shape[1] * (NEAREST + compared)
        found, step = [self.weight.new_zeros(0, item.shape[1])], max(_NUMBERS // width, 1)
        itself = torch.where(self._known, 0.0, _ITSELF)
        counts = torch.where(self._known, 1.0, self.part.new_weight)
        for start in range(0, len(item), step):
            part = slice(start, start + step)
            mine = item[part]
            row = self.row[mine].flatten(1)  # [b, C * 5]
            said, own = (
                all_.gather(1, row).view(*mine.shape, NEAREST) for all_ in self._said(part)
            )
            said = said + own * itself[mine].unsqueeze(2)
            scores = (said * self.weight[mine]).sum(2) * counts[mine]
            if repeats:
                same = mine.unsqueeze(2) == self.item[part].unsqueeze(1)  # [b, C, H]
                scores = scores + (same * self._again(part).unsqueeze(1)).sum(2)
            found.append(scores)
        return torch.cat(found)

    @torch.no_grad()
    def of_targets_alone(self, rows: slice, target: Tensor) -> Tensor:
        """Return what targets ``[b]`` of the table say of themselves in some histories."""
        return ((self.item[rows] == target.unsqueeze(1)) * self._again(rows)).sum(1)

    def _again(self, rows: slice) -> Tensor:
        """Return what behaviors say of their own items ``[b, H]``; as numbers stand now, which may be on trial."""
        return recency_weights(self.mask[rows], self.part.repeat_recency) * self.part.repeat_weight

    @property
    def _known(self) -> Tensor:
        """Whether training saw each of the table's items ``[N]``: such an item is represented by itself alone."""
        return self.row[:, 1] == 0

    def _said(self, rows: slice) -> tuple[Tensor, Tensor]:
        item = self.item[rows]
        weight = self.behavior[rows].unsqueeze(2) * self.weight[item]  # [b, H, 5]
        return self.part.said(self.row[item].flatten(1), weight.flatten(1))
