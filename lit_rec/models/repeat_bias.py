"""RepeatBias: whether users take an item again, learned, and not ruled by who asks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lit_rec.data.batches import HistorySlots
from lit_rec.data.facts import Facts
from lit_rec.models.ranges import count, finite

# A score in cosines moves by 0.01 in a step of rate 1e-3: Adam would need a thousand steps for what a softmax at 0.07 asks for at once.
_SCALE = 10.0


class RepeatBias(nn.Module):
    """Add to the score of an item that stands in the history a learned number, by how many behaviors ago it last did.

    Text says that nothing is as near to what a user just took as that thing itself. Where people take things once, this is the worst that
    can be shown, and a model of vectors cannot say so; where they come back for more, as to songs and groceries, it is the best. The
    numbers are learned from the training rows alone: one for the newest behavior, one for the second, for the third and fourth, the
    fifth to eighth, and so on in powers of two.

    Args:
        facts: Facts of the data.
        max_length: Behaviors from which on all are as long ago.
        start: Where the numbers begin, in units of the scores. Far below 0, such as -1 beside ``CosineHead``, where it is known that nobody
            comes back: a model that is trained for a few steps, or slowly, has no time to find out.

    Shape:
        A history of H slots -> ``of`` -> ``Repeats``; ``bias`` ``[G]``, in units of the scores, from the newest on.

    Raises:
        ConfigError: If ``max_length`` is below 1, or ``start`` is not finite.

    Reference:
        Ren et al. 2019, RepeatNet, https://arxiv.org/abs/1812.02646 (repetition told apart from what is new).

    Example:
        >>> import functools
        >>> repeats = functools.partial(RepeatBias, max_length=50)
        >>> TwoTower(facts, IdItemEncoder, CausalTransformerUserEncoder, CosineHead, repeats)  # doctest: +SKIP
    """

    def __init__(self, facts: Facts, max_length: int = 64, start: float = 0.0) -> None:
        super().__init__()
        groups = (count("repeats.init_args.max_length", max_length) - 1).bit_length() + 1
        begins = finite("repeats.init_args.start", start) / _SCALE
        self.weight = nn.Parameter(torch.full((groups,), begins))

    @property
    def bias(self) -> Tensor:
        """What is added, by how long ago, from the newest on ``[G]``."""
        return _SCALE * self.weight

    def of(self, item: Tensor, history: HistorySlots) -> Repeats:
        """Return what histories add.

        Args:
            item: ``[B, H]`` int64, the items of the slots, by whatever number; those below 0 are no items.
            history: The histories.
        """
        mask = history.mask & (item >= 0)
        return Repeats(item, mask, _until(item, mask), history.mask.sum(1), self.bias)


@dataclass(frozen=True)
class Repeats:
    """What the items of histories have added to their scores.

    Shape:
        item: ``[B, H]`` int64. mask: ``[B, H]`` bool. until: ``[B, H]`` int64, the number of behaviors up to which a slot is the last one
        of its item. behaviors: ``[B]`` int64, how many there are. bias: ``[G]``.
    """

    item: Tensor
    mask: Tensor
    until: Tensor
    behaviors: Tensor
    bias: Tensor

    def pairs(self, row: Tensor, behaviors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return place ``[S]``, item ``[S]`` and what is added ``[S]`` for positions of histories, each item of a position once.

        Args:
            row: ``[M]`` int64, whose history.
            behaviors: ``[M]`` int64, how many behaviors of it had been.
        """
        slot = torch.arange(self.item.shape[1], device=row.device)
        had = behaviors.unsqueeze(1)
        last = self.mask[row] & (slot < had) & (had <= self.until[row])  # [M, H]
        place, at = last.nonzero().unbind(1)
        ago = behaviors[place] - at  # 1: the newest
        group = torch.ceil(torch.log2(ago.float())).long().clamp(max=len(self.bias) - 1)
        return place, self.item[row[place], at], self.bias[group]

    def added(self, scores: Tensor, column: Tensor, row: Tensor, behaviors: Tensor) -> Tensor:
        """Return scores ``[M, N]`` with what repeats add.

        Args:
            scores: ``[M, N]``.
            column: ``[N]`` int64, the items of the columns, which increase.
            row: ``[M]`` int64, whose history.
            behaviors: ``[M]`` int64, how many behaviors of it had been.
        """
        place, item, bias = self.pairs(row, behaviors)
        at = torch.searchsorted(column, item).clamp(max=max(len(column) - 1, 0))
        there = column[at] == item if len(column) else torch.zeros_like(place, dtype=torch.bool)
        where = (place[there], at[there])
        return scores.index_put(where, bias[there].to(scores.dtype), accumulate=True)

    def added_to_all(self, scores: Tensor, rows: slice) -> Tensor:
        """Return scores ``[b, I]`` with what the whole histories of some rows add, whose items are the columns."""
        row = torch.arange(rows.start, rows.start + len(scores), device=scores.device)
        place, item, bias = self.pairs(row, self.behaviors[row])
        return scores.index_put((place, item), bias.to(scores.dtype), accumulate=True)

    def of_items(self, item: Tensor, row: Tensor, behaviors: Tensor) -> Tensor:
        """Return what is added to the scores of items ``[M, C]`` at positions ``[M]`` of histories: ``[M, C]``."""
        place, repeated, bias = self.pairs(row, behaviors)
        if not len(place):
            return torch.zeros(item.shape, device=item.device)
        span = max(int(repeated.max()), int(item.max()) if item.numel() else 0) + 1
        key, order = (place * span + repeated).sort()
        line = torch.arange(len(item), device=item.device).unsqueeze(1)
        wanted = line * span + item
        at = torch.searchsorted(key, wanted).clamp(max=len(key) - 1)
        found: Tensor = bias[order][at] * (key[at] == wanted)
        return found


def _until(item: Tensor, mask: Tensor) -> Tensor:
    """Return after how many behaviors each slot's item comes again ``[B, H]``; where it does not, one more than there are slots."""
    slots = item.shape[1]
    never = slots + 1
    # stable, so that the slots of an item follow one another in order
    item, order = item.masked_fill(~mask, -1).sort(dim=1, stable=True)
    following = torch.full_like(order, never)
    again = item[:, 1:] == item[:, :-1]
    following[:, :-1] = torch.where(again, order[:, 1:], never)
    return torch.empty_like(order).scatter(1, order, following)
