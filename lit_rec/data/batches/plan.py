"""BatchPlan: what the loaders of a data set have to put into batches for the network at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lit_rec.data.batches.negatives import Negatives

# of blocks of users, by number, those that are to be done
Blocks = Callable[[], Sequence[tuple[int, range]]]


@dataclass(frozen=True)
class BatchPlan:
    """What a network and its objective need of batches.

    Args:
        table_at_evaluation: Whether vectors of items are looked up in a table of the catalogue at evaluation: batches
            then carry no texts.
        in_sequences: Whether the network predicts at every position of a training sequence: a training batch then has
            sequences in place of rows.
        negatives: What draws items to compare with into training batches, where something does.
        user_blocks: Where ``predict`` makes lists, asked for the blocks of users that are to be done: batches of
            ``predict`` then have users in place of rows.

    Example:
        >>> BatchPlan(table_at_evaluation=False).in_sequences
        False
    """

    table_at_evaluation: bool = True
    in_sequences: bool = False
    negatives: Negatives | None = None
    user_blocks: Blocks | None = None
