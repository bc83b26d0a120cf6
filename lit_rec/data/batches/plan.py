"""BatchPlan: what the current network needs in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.negatives import Negatives

# returns the blocks of users, with their numbers, that are not done yet
Blocks = Callable[[], Sequence[tuple[int, range]]]


@dataclass(frozen=True)
class BatchPlan:
    """What a network and its objective need in batches.

    Args:
        table_at_evaluation: Whether evaluation looks item vectors up in a table of the catalogue: its batches then hold
            no texts.
        in_sequences: Whether the network predicts at every position of a training sequence: a training batch then has
            sequences instead of rows.
        negatives: Draws negatives into training batches, where they are wanted.
        user_blocks: Where ``predict`` makes lists, returns the blocks of users that are not done: batches of
            ``predict`` then have users instead of rows.
        nearest: ``[I, K]``, in place of histories, the items whose texts are nearest to those of each item; see
            ``NearestItems``.
        rows_per_label: How many training rows of one label stand together in the order of an epoch; 1: it is random.

    Example:
        >>> BatchPlan(table_at_evaluation=False).in_sequences
        False
    """

    table_at_evaluation: bool = True
    in_sequences: bool = False
    negatives: Negatives | None = None
    user_blocks: Blocks | None = None
    nearest: Int64s | None = None
    rows_per_label: int = 1
