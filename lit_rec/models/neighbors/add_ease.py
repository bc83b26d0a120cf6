"""AddEase: EASE in which items with similar texts count as if some users had both, for catalogues of any size."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from lit_rec.models.neighbors.baskets import Baskets
from lit_rec.models.neighbors.ease import DENSE_ITEMS, ease_neighbors, ease_table
from lit_rec.models.neighbors.item_tables import HeldTable

LONGEST = 100  # newest items of a user that count in a large catalogue
COMPANIONS = 200  # of each item there
PREDICTORS = 100  # of these, that predict it
ALIKE = 20  # items of similar texts that predict an item too
COMPARED = 100_000  # items whose texts are all compared
_TRIED = 5000  # items of which the counts of pairs are held for the next table
_NUMBERS = 2**24  # that are held at once: bounds the memory, not the result


def is_whole(items: int) -> bool:
    """Return whether a catalogue is small enough for a table of all pairs."""
    return items <= DENSE_ITEMS


class AddEase:
    """The ridge regression of each item on all others, on the rows of users and of texts.

    In a large catalogue each item is predicted from 100 items that it shares most users with, and, in up to 100,000
    items, from the 20 with the nearest texts; the newest 100 items of a user count.

    Args:
        baskets: The training users' items.
        text: ``[I, W]`` text vectors of length 1 or 0; None: there are no texts.
        whole: Whether the table of all pairs is made; None: up to 20,000 items.

    Reference:
        Jeunen et al. 2020, Closed-form models for collaborative filtering with side-information,
        https://doi.org/10.1145/3383313.3418480.

    Example:
        >>> import numpy as np
        >>> baskets = Baskets(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), items=3)
        >>> text = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> table = AddEase(baskets, text).table(penalty=1.0, text_weight=2.0)
        >>> table.values[1].round(decimals=2)  # with item 0 it shares users, with item 2 a text
        tensor([0.5500, 0.0000, 0.4800])
    """

    def __init__(self, baskets: Baskets, text: Tensor | None, *, whole: bool | None = None) -> None:
        self.whole = is_whole(baskets.items) if whole is None else whole
        # equations of neighbors are solved where the lists of companions are
        self._baskets, self._text = baskets, text if self.whole or text is None else text.cpu()

    def table(self, penalty: float, text_weight: float) -> HeldTable:
        """Return the table.

        Args:
            penalty: Above 0.
            text_weight: How much texts count; 0: not at all.
        """
        if self.whole:
            return ease_table(self._counts(), penalty, self._text, text_weight)
        newest, index, count = self._companions
        text = self._text if text_weight else None
        own = torch.from_numpy(newest.counts)
        alike = None if text is None else self._alike
        return ease_neighbors(index, count, own, penalty, PREDICTORS, text, text_weight, alike)

    def _counts(self) -> Tensor:
        if self._baskets.items <= _TRIED:
            return self._held.clone()
        return self._together()

    @cached_property
    def _held(self) -> Tensor:
        return self._together()

    def _together(self) -> Tensor:
        together = self._baskets.together()
        return together if self._text is None else together.to(self._text.device)

    @cached_property
    def _companions(self) -> tuple[Baskets, Tensor, Tensor]:
        newest = self._baskets.newest(LONGEST)
        return newest, *newest.companions(COMPANIONS)

    @cached_property
    def _alike(self) -> Tensor | None:
        """The items with the nearest texts ``[I, n]``, itself among them; None where it would take too long."""
        items = self._baskets.items
        if self._text is None or items > COMPARED:
            return None
        blocks = torch.split(self._text, max(_NUMBERS // items, 1))
        nearest = min(ALIKE, items)
        return torch.cat([(block @ self._text.T).topk(nearest).indices for block in blocks])
