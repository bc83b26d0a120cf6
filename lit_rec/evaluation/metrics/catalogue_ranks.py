"""The rank of the next item among the whole catalogue, in blocks of rows, never among sampled negatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lit_rec.data.batches.batch import SeenItems
from lit_rec.models.heads.repeat_bias import Repeats

SCORES_AT_ONCE = 2**24  # bounds the memory, not the result


@dataclass(frozen=True)
class ScoredRows:
    """Scores of the whole catalogue for some rows.

    Shape:
        rows: b of the R rows. scores: ``[b, I]``. own: ``[b]``, the score of each row's target. own_unseen: ``[b]``,
            the same, if its user had not seen it.
    """

    rows: slice
    scores: Tensor
    own: Tensor
    own_unseen: Tensor

    @classmethod
    def of(cls, rows: slice, scores: Tensor, target: Tensor) -> ScoredRows:
        """Make it from scores ``[b, I]`` to which nothing is added for what was seen, and targets ``[b]``."""
        own = of_target(scores, target)
        return cls(rows, scores, own, own)


def scored_blocks(
    users: Tensor,
    items: Tensor,
    target: Tensor,
    repeats: Repeats | None = None,
    at_once: int = SCORES_AT_ONCE,
) -> Iterator[ScoredRows]:
    """Yield the inner products of users and items, plus what repeats add, a block of rows at a time.

    Args:
        users: ``[R, D]``.
        items: ``[I, D]``.
        target: ``[R]`` int64 rows of ``items``.
        repeats: What the rows' whole histories add, with items numbered by rows of ``items``.
        at_once: Most scores of a block.
    """
    step = max(at_once // max(len(items), 1), 1)
    for start in range(0, len(users), step):
        rows = slice(start, start + step)
        block = ScoredRows.of(rows, users[rows] @ items.T, target[rows])
        if repeats is not None:
            column = torch.arange(len(items), device=items.device)
            scores = repeats.at_ends(rows).to_columns(block.scores, column)
            own = of_target(scores, target[rows])
            block = replace(block, scores=scores, own=own)
        yield block


def of_target(scores: Tensor, target: Tensor) -> Tensor:
    """Return the scores ``[b]`` of targets ``[b]`` from those of the whole catalogue ``[b, I]``."""
    return scores.gather(1, target.unsqueeze(1)).squeeze(1)


def target_ranks(block: ScoredRows, target: Tensor, seen: SeenItems) -> Tensor:
    """Return the rank of each row's target, 1 the best, by two conventions.

    Items of equal score share the mean of their ranks, in whatever order they are. A score of NaN counts as higher than
    the target's, so that a diverged model is the worst and not the best. The second convention leaves out items that
    the user saw, but never the target itself: otherwise an item that is taken again could not be predicted. Such a
    target has the score of an unseen item there: where nothing else can come again, what a model adds to items that
    come again, or never do, says nothing.

    Args:
        block: The scores of b rows.
        target: ``[b]`` int64 rows of the catalogue.
        seen: What these rows' users had seen.

    Returns:
        ``[b, 2]`` float32: among all items, and among those not seen.

    Example:
        >>> scores = torch.tensor([[0.9, 0.5, 0.5, 0.1]])
        >>> target = torch.tensor([1])
        >>> block = ScoredRows.of(slice(0, 1), scores, target)
        >>> target_ranks(block, target, SeenItems(torch.tensor([0, 0]), torch.tensor([0, 1])))
        tensor([[2.5000, 1.5000]])
    """
    scores, own = block.scores, block.own
    above, level = _above_and_level(scores, own)
    whole = above + (level + 1) / 2
    others = seen.item != target[seen.row]
    # what was only viewed before it is bought competes as all that was viewed does
    was_seen = torch.zeros_like(own, dtype=torch.bool).index_fill(0, seen.row[~others], True)
    unseen = torch.where(was_seen, block.own_unseen, own)
    again = (own != unseen).nonzero()[:, 0]
    if len(again):
        as_unseen = unseen[again].unsqueeze(1)
        as_unseen = scores[again].scatter(1, target[again].unsqueeze(1), as_unseen)
        above[again], level[again] = _above_and_level(as_unseen, unseen[again])
    row, item = seen.row[others], seen.item[others]
    of_seen, beside = scores[row, item], unseen[row]
    above.index_add_(0, row, -(~(of_seen <= beside)).long())
    level.index_add_(0, row, -(of_seen == beside).long())
    return torch.stack([whole, above + (level + 1) / 2], 1)


def _above_and_level(scores: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
    """Return how many scores ``[b, I]`` are above and equal to those of targets ``[b]``; NaN is above."""
    own = own.unsqueeze(1)
    return (~(scores <= own)).sum(1), (scores == own).sum(1)
