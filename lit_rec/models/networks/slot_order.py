"""SlotOrder: which items of a history an encoder reads first for a candidate, where it cannot read them all."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from lit_rec.data.batches.batch import RecBatch
from lit_rec.models.networks.pair_text import item_texts


class SlotOrder(ABC):
    """An order of each row's history slots for each candidate.

    Example:
        >>> class OldestFirst(SlotOrder):
        ...     def __call__(self, batch: RecBatch) -> Tensor:
        ...         slots = batch.history.item_index.shape[1]
        ...         return torch.arange(slots).expand(*batch.candidates.item_index.shape, slots)
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import request_batch
        >>> batch = request_batch([], rows=np.array([4, 7]), user_row=0, now=None)
        >>> OldestFirst()(batch)  # one slot, which is padding, for each candidate
        tensor([[[0],
                 [0]]])
    """

    @abstractmethod
    def __call__(self, batch: RecBatch) -> Tensor:
        """Return the slots in the order they are read ``[B, C, H]`` int64; padding may be anywhere."""


class NewestFirst(SlotOrder):
    """The newest behaviors first, whatever the candidate.

    Example:
        >>> import numpy as np
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> seen = [Seen(item, float("nan"), 0, float("nan"), 0) for item in (0, 1)]
        >>> batch = request_batch(seen, rows=np.array([2]), user_row=0, now=None)
        >>> NewestFirst()(batch)  # of a history of two
        tensor([[[1, 0]]])
    """

    def __call__(self, batch: RecBatch) -> Tensor:
        """Return the slots from the last to the first; padding, on the right, comes first."""
        slots = batch.history.item_index.shape[1]
        newest = torch.arange(slots - 1, -1, -1, device=batch.row.device)
        return newest.expand(*batch.candidates.item_index.shape, slots)


class NearestFirst(SlotOrder):
    """The items that share most words with the candidate first; of equal ones, the newest first.

    Nearness is the number of distinct tokens that both texts have, divided by the number that at least one has. It
    needs no encoder, and is the same in every batch.

    Reference:
        Jaccard 1912, The distribution of the flora in the alpine zone,
        https://doi.org/10.1111/j.1469-8137.1912.tb05611.x.

    Example:
        >>> import dataclasses, numpy as np
        >>> from lit_rec.data.batches.batch import Items, Texts
        >>> from lit_rec.data.batches.request import Seen, request_batch
        >>> seen = [Seen(item, float("nan"), 0, float("nan"), 0) for item in (0, 1)]
        >>> batch = request_batch(seen, rows=np.array([2]), user_row=0, now=None)
        >>> words = torch.tensor([5, 6, 8, 9, 5, 7])  # "5 6", "8 9", and the candidate "5 7"
        >>> texts = Texts(words, torch.tensor([0, 2, 4, 6]))
        >>> items = Items(torch.tensor([[0], [1], [2]]), torch.arange(3), torch.zeros(3))
        >>> NearestFirst()(dataclasses.replace(batch, texts=texts, items=items))
        tensor([[[0, 1]]])
    """

    def __call__(self, batch: RecBatch) -> Tensor:
        """Return the slots from the nearest to the farthest."""
        history, candidate = batch.history.item_index, batch.candidates.item_index
        first = candidate.unsqueeze(2).expand(-1, -1, history.shape[1])  # [B, C, H]
        near = token_overlap(
            batch, first.flatten(), history.unsqueeze(1).expand_as(first).flatten()
        )
        near = near.view_as(first).masked_fill(~batch.history.mask.unsqueeze(1), -1.0)
        # flipped to newest first: a stable sort keeps the order of equal ones
        order = torch.argsort(near.flip(2), dim=2, descending=True, stable=True)
        return history.shape[1] - 1 - order


def token_overlap(batch: RecBatch, one: Tensor, other: Tensor) -> Tensor:
    """Return the share of common tokens of pairs of items.

    Args:
        batch: Items with texts; special tokens do not count.
        one: ``[Q]`` items.
        other: ``[Q]`` items.

    Returns:
        ``[Q]`` float32 from 0 to 1; 0 where both have no token.
    """
    tokens, begin, length = item_texts(batch)
    base = int(tokens.max()) + 1 if len(tokens) else 1
    item = torch.repeat_interleave(torch.arange(len(length), device=length.device), length)
    place = torch.arange(len(item), device=item.device) - (length.cumsum(0) - length)[item]
    # (item, token) as one number, each once, in order of the items
    keys = torch.unique(item * base + tokens[begin[item] + place])
    count = torch.bincount(keys // base, minlength=len(length))
    start = count.cumsum(0) - count
    # for every pair the tokens of the second item: does the first one have them?
    pair = torch.repeat_interleave(torch.arange(len(one), device=one.device), count[other])
    before = count[other].cumsum(0) - count[other]
    place = torch.arange(len(pair), device=one.device) - before[pair] + start[other][pair]
    wanted = one[pair] * base + keys[place] % base
    found = torch.searchsorted(keys, wanted).clamp(max=max(len(keys) - 1, 0))
    common = torch.bincount(pair, weights=(keys[found] == wanted).double(), minlength=len(one))
    either = count[one] + count[other] - common
    return (common / either.clamp(min=1)).float()
