"""The rank of the next item among the whole catalogue, in blocks of rows, never among sampled negatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lit_rec.data.batches.batch import SeenItems
from lit_rec.models.heads.repeat_bias import Repeats

SCORES_AT_ONCE = 2**24  # bounds the memory, not the result


@dataclass(frozen=True)
class ScoredRows:
    """Scores of the whole catalogue for some rows.

    Shape:
        rows: b of the R rows. scores: ``[b, I]``. own: ``[b]``, the score of each row's target.
    """

    rows: slice
    scores: Tensor
    own: Tensor

    @classmethod
    def of(cls, rows: slice, scores: Tensor, target: Tensor) -> ScoredRows:
        """Make it from the scores ``[b, I]`` and the targets ``[b]`` of these rows."""
        return cls(rows, scores, scores.gather(1, target.unsqueeze(1)).squeeze(1))


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
        scores = users[rows] @ items.T
        if repeats is not None:
            column = torch.arange(len(items), device=items.device)
            scores = repeats.at_ends(rows).to_columns(scores, column)
        yield ScoredRows.of(rows, scores, target[rows])


def target_ranks(block: ScoredRows, target: Tensor, seen: SeenItems) -> Tensor:
    """Return the rank of each row's target, 1 the best, by two conventions.

    Items of equal score share the mean of their ranks, in whatever order they are. A score of NaN counts as higher than
    the target's, so that a diverged model is the worst and not the best. The second convention leaves out items that
    the user saw, but never the target itself: otherwise an item that is taken again could not be predicted.

    Args:
        block: The scores of b rows.
        target: ``[b]`` int64 rows of the catalogue.
        seen: What these rows' users had seen.

    Returns:
        ``[b, 2]`` float32: among all items, and among those not seen.

    Example:
        >>> scores = torch.tensor([[0.9, 0.5, 0.5, 0.1]])
        >>> block = ScoredRows(slice(0, 1), scores, torch.tensor([0.5]))
        >>> target_ranks(block, torch.tensor([1]), SeenItems(torch.tensor([0, 0]), torch.tensor([0, 1])))
        tensor([[2.5000, 1.5000]])
    """
    scores, own = block.scores, block.own.unsqueeze(1)
    # not ``>``: a NaN counts as above
    above = (~(scores <= own)).sum(1)
    level = (scores == own).sum(1)  # the target too
    others = seen.item != target[seen.row]
    row, item = seen.row[others], seen.item[others]
    of_seen, beside = scores[row, item], block.own[row]
    none = torch.zeros_like(above)
    fewer_above = none.index_add(0, row, (~(of_seen <= beside)).long())
    fewer_level = none.index_add(0, row, (of_seen == beside).long())
    whole = above + (level + 1) / 2
    rest = above - fewer_above + (level - fewer_level + 1) / 2
    return torch.stack([whole, rest], 1)
