"""Joins a row's history and one candidate into a single text, for an encoder that reads both at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lit_rec.data.batches.batch import RecBatch, Texts
from lit_rec.data.texts.tokens import SpecialTokens


def pair_sequences(
    batch: RecBatch, order: Tensor, special: SpecialTokens, max_tokens: int
) -> tuple[Texts, Tensor]:
    """Return a text per row and candidate: the candidate's fields, then the history's items in order, up to the budget.

    Between items stand the tokens that the tokenizer puts after a text. The candidate is cut at half the budget; the
    last item that does not fit whole is cut at its end.

    Args:
        batch: Rows with texts.
        order: ``[B, C, H]``, the history's slots in the order they are read beside each candidate.
        special: Tokens that ``Texts.chunks`` will put around each text.
        max_tokens: Longest text with them.

    Returns:
        ``B * C`` texts, row by row; and the history slot of each of their tokens ``[S]`` int64, -1 for tokens of the
        candidate and between items.
    """
    # per pair: the candidate, then the history's slots
    slot = torch.nn.functional.pad(order.flatten(0, 1), (1, 0), value=-1)  # [Q, 1 + H], Q = B * C
    row = torch.arange(len(batch), device=order.device).repeat_interleave(order.shape[1])
    past = batch.history.item_index[row.unsqueeze(1), slot[:, 1:]]
    item = torch.cat([batch.candidates.item_index.flatten().unsqueeze(1), past], 1)
    known = batch.history.mask[row.unsqueeze(1), slot[:, 1:]]
    mask = torch.nn.functional.pad(known, (1, 0), value=True)

    tokens, start, length = item_texts(batch)
    between = special.suffix or special.prefix
    room = max_tokens - len(special.prefix) - len(special.suffix)
    wanted = torch.where(mask, length[item], 0)
    wanted[:, 0].clamp_(max=max(room // 2, 1))
    gap = torch.where(mask & (wanted > 0), len(between), 0)
    gap[:, 0] = 0
    until = (wanted + gap).cumsum(1)
    used = (wanted - (until - room).clamp(min=0)).clamp(min=0)
    gap = torch.where(used > 0, gap, 0)

    # the flat tokens of every segment in order: the gap's tokens, then the item's
    whole = (used + gap).flatten()
    segment = torch.repeat_interleave(torch.arange(len(whole), device=whole.device), whole)
    place = torch.arange(len(segment), device=whole.device) - (whole.cumsum(0) - whole)[segment]
    place = place - gap.flatten()[segment]
    source = (start[item].flatten()[segment] + place.clamp(min=0)).clamp(
        max=max(len(tokens) - 1, 0)
    )
    flat = tokens[source] if len(tokens) else tokens.new_zeros(len(segment))
    separator = torch.tensor([*between, 0], dtype=tokens.dtype, device=tokens.device)
    flat = torch.where(place < 0, separator[place.clamp(max=-1) + len(between)], flat)
    of_slot = torch.where(place < 0, -1, slot.flatten()[segment])
    lengths = (used + gap).sum(1)
    offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    return Texts(flat, offsets), of_slot


def item_texts(batch: RecBatch) -> tuple[Tensor, Tensor, Tensor]:
    """Join the fields of each item of a batch; return flat tokens, and start and length of each item ``[N]``."""
    index = batch.items.text_index  # [N, F]
    offsets = batch.texts.offsets
    if index.shape[1] == 1:
        start = offsets[index[:, 0]]
        return batch.texts.tokens, start, offsets[index[:, 0] + 1] - start
    pieces = (offsets[index + 1] - offsets[index]).flatten()
    segment = torch.repeat_interleave(torch.arange(len(pieces), device=pieces.device), pieces)
    place = torch.arange(len(segment), device=pieces.device) - (pieces.cumsum(0) - pieces)[segment]
    tokens = batch.texts.tokens[offsets[index].flatten()[segment] + place]
    length = pieces.view(index.shape).sum(1)
    return tokens, length.cumsum(0) - length, length


def markers(special: SpecialTokens) -> SpecialTokens:
    """Return as many special tokens, all 0: with them marks are laid out like the tokens of a text."""
    return SpecialTokens(_zeros(special.prefix), _zeros(special.suffix), 0)


def _zeros(tokens: Sequence[int]) -> tuple[int, ...]:
    return (0,) * len(tokens)
