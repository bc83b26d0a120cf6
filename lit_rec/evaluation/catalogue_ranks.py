"""The rank of what came next among a whole catalogue, in blocks of rows, never on a sample of negatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

SCORES_AT_ONCE = 2**24  # bounds the memory, not the result


@dataclass(frozen=True)
class ScoredRows:
    """Scores of the whole catalogue for some rows.

    Shape:
        rows: which of the R rows, b of them. scores: ``[b, I]``. own: ``[b]``, the score of each row's target.
    """

    rows: slice
    scores: Tensor
    own: Tensor


def scored_blocks(
    users: Tensor, items: Tensor, target: Tensor, at_once: int = SCORES_AT_ONCE
) -> Iterator[ScoredRows]:
    """Yield the inner products of users and items, a block of rows at a time.

    Args:
        users: ``[R, D]``.
        items: ``[I, D]``.
        target: ``[R]`` int64 rows of ``items``.
        at_once: Most scores of a block.
    """
    step = max(at_once // max(len(items), 1), 1)
    for start in range(0, len(users), step):
        rows = slice(start, start + step)
        scores = users[rows] @ items.T
        yield ScoredRows(rows, scores, scores.gather(1, target[rows].unsqueeze(1)).squeeze(1))


def target_ranks(block: ScoredRows, target: Tensor, seen: Tensor, seen_mask: Tensor) -> Tensor:
    """Return the rank of each row's target, 1 the best, by two conventions.

    Items of equal score stand at the mean of their ranks, whatever their order; a score that is no number stands above, so that a model
    that has diverged is the worst and not the best. What was seen is left out by the second convention, but never the target itself: who
    buys a thing again is not to be made unanswerable.

    Args:
        block: The scores of b rows.
        target: ``[b]`` int64 rows of the catalogue.
        seen: ``[b, S]`` int64 rows of the catalogue, repetitions included.
        seen_mask: ``[b, S]``, True where something real stands.

    Returns:
        ``[b, 2]`` float32: among all items, and among those not seen.

    Example:
        >>> scores = torch.tensor([[0.9, 0.5, 0.5, 0.1]])
        >>> block = ScoredRows(slice(0, 1), scores, torch.tensor([0.5]))
        >>> target_ranks(block, torch.tensor([1]), torch.tensor([[0, 0, 1]]), torch.tensor([[True, True, True]]))
        tensor([[2.5000, 1.5000]])
    """
    scores, own = block.scores, block.own.unsqueeze(1)
    # "not below or level" rather than "above": with what is no number
    above = (~(scores <= own)).sum(1)
    level = (scores == own).sum(1)  # the target too
    # padding is put where the target is: neither counts
    items = torch.where(seen_mask, seen, target.unsqueeze(1)).sort(1).values
    new = torch.ones_like(items, dtype=torch.bool)
    new[:, 1:] = items[:, 1:] != items[:, :-1]
    counts = new & (items != target.unsqueeze(1))
    of_seen = scores.gather(1, items)
    fewer_above = (~(of_seen <= own) & counts).sum(1)
    fewer_level = ((of_seen == own) & counts).sum(1)
    whole = above + (level + 1) / 2
    rest = above - fewer_above + (level - fewer_level + 1) / 2
    return torch.stack([whole, rest], 1)
