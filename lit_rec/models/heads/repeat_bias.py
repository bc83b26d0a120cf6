"""RepeatBias: learns whether users take an item again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import HistorySlots
from lit_rec.data.facts import Facts
from lit_rec.ranges import count, finite

# Adam moves a weight by 0.001 in a step of rate 1e-3. Scaled, the bias of a cosine moves by 0.01: without this it
# would need a thousand steps to reach what a softmax at 0.07 asks for.
_SCALE = 10.0


class RepeatBias(nn.Module):
    """Add a learned number to the score of an item of the history, by how many behaviors ago it last occurred.

    By text, no item is as similar to the last item as that item itself. Where people take items once, it is the worst
    to show, and a model of vectors cannot express this. Where they come back for more, as to songs and groceries, it is
    the best. The numbers are learned from the training rows alone: one for the newest behavior, one for the second, one
    for the third and fourth, one for the fifth to eighth, and so on in powers of two.

    Args:
        facts: Facts of the data.
        max_length: All behaviors this many back or more share a number.
        start: Where the numbers begin, in units of the scores. Set it far below 0, such as to -1 with ``CosineHead``,
            where it is known that nobody takes an item again: a model that is trained for a few steps, or slowly,
            cannot learn it in time.

    Shape:
        A history of H slots -> ``of`` -> ``Repeats``; ``bias`` ``[G]``, in units of the scores, newest first.

    Raises:
        ConfigError: If ``max_length`` is below 1, or ``start`` is not finite.

    Reference:
        Ren et al. 2019, RepeatNet, https://arxiv.org/abs/1812.02646 (repeated and new items scored apart).

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> facts = Facts.example("next_item")
        >>> seen = [Seen(item=0, rating=float("nan"), event=0, timestamp=float("nan"), label=0)]
        >>> history = request_batch(seen, rows=np.array([0, 1]), user_row=0, now=None).history
        >>> added = RepeatBias(facts, start=-1.0).of(history.item_index, history).at_ends(slice(None))
        >>> added.to_items(torch.zeros(1, 2), torch.tensor([[0, 1]])).tolist()  # item 0 was taken already
        [[-1.0, 0.0]]
    """

    def __init__(self, facts: Facts, max_length: int = 64, start: float = 0.0) -> None:
        super().__init__()
        groups = (count(self, "max_length", max_length) - 1).bit_length() + 1
        begins = finite(self, "start", start) / _SCALE
        self.weight = nn.Parameter(torch.full((groups,), begins))

    @property
    def bias(self) -> Tensor:
        """The numbers that are added ``[G]``, for the newest behavior first."""
        return _SCALE * self.weight

    def of(self, item: Tensor, history: HistorySlots) -> Repeats:
        """Return what histories add to scores.

        Args:
            item: ``[B, H]`` int64, the items of the slots, numbered in any way; a number below 0 is no item.
            history: The histories.
        """
        mask = history.mask & (item >= 0)
        return Repeats(item, mask, _until(item, mask), history.mask.sum(1), self.bias)


@dataclass(frozen=True)
class Repeats:
    """What is added to the scores of the histories' items.

    Shape:
        item: ``[B, H]`` int64. mask: ``[B, H]`` bool. until: ``[B, H]`` int64, the number of behaviors up to which a
            slot is the last one of its item. behaviors: ``[B]`` int64, how many there are. bias: ``[G]``.
    """

    item: Tensor
    mask: Tensor
    until: Tensor
    behaviors: Tensor
    bias: Tensor

    def at(self, row: Tensor, behaviors: Tensor) -> Repeated:
        """Return what is added at positions of histories.

        Args:
            row: ``[M]`` int64, whose history.
            behaviors: ``[M]`` int64, how many behaviors came before the position.
        """
        slot = torch.arange(self.item.shape[1], device=row.device)
        had = behaviors.unsqueeze(1)
        last = self.mask[row] & (slot < had) & (had <= self.until[row])  # [M, H]
        place, at = last.nonzero().unbind(1)
        ago = behaviors[place] - at  # 1: the newest
        group = torch.ceil(torch.log2(ago.float())).long().clamp(max=len(self.bias) - 1)
        return Repeated(place, self.item[row[place], at], self.bias[group])

    def at_ends(self, rows: slice) -> Repeated:
        """Return what the whole histories of some rows add."""
        row = torch.arange(len(self.item), device=self.item.device)[rows]
        return self.at(row, self.behaviors[row])


@dataclass(frozen=True)
class Repeated:
    """What is added to the scores of S items; a position has each of its items once.

    Shape:
        place: ``[S]`` int64, which of the positions; they increase. item: ``[S]`` int64. bias: ``[S]``.
    """

    place: Tensor
    item: Tensor
    bias: Tensor

    def to_columns(self, scores: Tensor, column: Tensor) -> Tensor:
        """Return the scores ``[M, N]`` of items ``column`` ``[N]`` with what is added; ``column`` increases."""
        at = torch.searchsorted(column, self.item).clamp(max=max(len(column) - 1, 0))
        there = column[at] == self.item if len(column) else torch.zeros_like(at, dtype=torch.bool)
        where = (self.place[there], at[there])
        return scores.index_put(where, self.bias[there].to(scores.dtype), accumulate=True)

    def to_one(self, scores: Tensor, item: Tensor) -> Tensor:
        """Return the scores ``[M]`` of one item ``[M]`` of each position with what is added."""
        there = self.item == item[self.place]
        return scores.index_add(0, self.place[there], self.bias[there].to(scores.dtype))

    def to_items(self, scores: Tensor, item: Tensor) -> Tensor:
        """Return the scores ``[M, C]`` of items ``[M, C]`` with what is added."""
        if not len(self.place):
            return scores
        span = max(int(self.item.max()), int(item.max()) if item.numel() else 0) + 1
        key, order = (self.place * span + self.item).sort()
        line = torch.arange(len(item), device=item.device).unsqueeze(1)
        wanted = line * span + item
        at = torch.searchsorted(key, wanted).clamp(max=len(key) - 1)
        return scores + self.bias[order][at] * (key[at] == wanted)


def _until(item: Tensor, mask: Tensor) -> Tensor:
    """Return after how many behaviors each slot's item comes again ``[B, H]``; the number of slots + 1 if never."""
    slots = item.shape[1]
    never = slots + 1
    # stable, so that the slots of an item follow one another in order
    item, order = item.masked_fill(~mask, -1).sort(dim=1, stable=True)
    following = torch.full_like(order, never)
    again = item[:, 1:] == item[:, :-1]
    following[:, :-1] = torch.where(again, order[:, 1:], never)
    return torch.empty_like(order).scatter(1, order, following)
