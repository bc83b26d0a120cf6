"""NewItemSplit: some items are new; none of their rows train."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.splits.splits import LeaveLastOutSplit, Split, check_shares, clock_of
from lit_rec.errors import option_of


class NewItemSplit(Split):
    """Draw items at random: all rows of some items test, all rows of others validate.

    So neither part has an item that training saw, and an evaluation measures what text alone says about an item. All
    rows of the other items train; with ``last`` all but each user's last two. An impression may be divided.

    Args:
        validation: Share of the items whose rows validate.
        test: Share of the items whose rows test.
        seed: Seed of the draw.
        last: Whether each user's newest row of another item tests too, and the one before validates, as
            ``LeaveLastOutSplit`` has it: one table then shows what new items cost known ones.

    Raises:
        ConfigError: If the shares are not usable; with ``last``, by ``assign``, if the rows have no order.

    Example:
        >>> frame = pl.DataFrame({"item_id": ["a", "b", "a", "c", "d", "b"]})
        >>> NewItemSplit(0.25, 0.25).assign(frame).to_list()
        ['val', 'train', 'val', 'test', 'train', 'train']
    """

    def __init__(
        self, validation: float = 0.1, test: float = 0.2, seed: int = 0, last: bool = False
    ) -> None:
        check_shares(self, validation, test)
        self.validation, self.test, self.seed, self.last = validation, test, seed, last

    def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        # by name, so that the draw does not depend on the order of the rows
        code = behaviors["item_id"].cast(pl.String).rank("dense").cast(pl.Int64).to_numpy() - 1
        count = int(code.max(initial=-1)) + 1
        order = np.random.default_rng(self.seed).permutation(count)
        ends = np.cumsum([round(count * self.test), round(count * self.validation)])
        of_item = np.zeros(count, np.int8)
        of_item[order[: ends[0]]] = 2
        of_item[order[ends[0] : ends[1]]] = 1
        part: npt.NDArray[np.int8] = of_item[code]
        if self.last:
            clock_of(behaviors, ordered, option_of(self, "last"), "leave it out")
            known = part == 0
            part[known] = LeaveLastOutSplit()._assign(behaviors.filter(known), ordered)
        return part
