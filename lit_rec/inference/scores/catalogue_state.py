"""CatalogueState: all that a Recommender knows of its items at one moment."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.inference.scores.catalogue_scores import CatalogueScores
from lit_rec.inference.stored.items import StoredItems


@dataclass(frozen=True)
class CatalogueState:
    """The items and their scores, row by row the same: a value.

    A ``Recommender`` holds one of them. Whoever reads takes it once and looks at nothing else; whoever changes the
    catalogue makes another one, whole, and puts it in its place by one assignment.

    Args:
        items: Ids, rows and columns.
        scores: Vectors and the index.
    """

    items: StoredItems
    scores: CatalogueScores

    def with_more(
        self, ids: Sequence[str], columns: Mapping[str, Sequence[str | None]], vectors: Tensor
    ) -> CatalogueState:
        """Return the state with more items after the last.

        Raises:
            DataError: If a vector ``[n, D]`` is not finite.
        """
        return CatalogueState(self.items.with_more(ids, columns), self.scores.with_more(vectors))

    def without(self, rows: Int64s, for_good: Callable[[], Container[str]]) -> CatalogueState:
        """Return the state of which some rows cannot be recommended; rows are given back where many cannot.

        Args:
            rows: Of the items, or of what is remembered: that cannot be recommended anyway.
            for_good: Returns the ids that are never forgotten; it is called where rows are given back.
        """
        rows = rows[rows < len(self.items)]
        items, scores = self.items.without(rows.tolist()), self.scores.without(rows)
        if items.has_many_removed:
            kept, remembered = items.of_kept(for_good())
            left = [row for row in range(len(items)) if row not in items.removed]
            of_kept = scores.of_kept(np.array(left, np.int64), np.array(remembered, np.int64))
            if of_kept is not None:
                return CatalogueState(kept, of_kept)
        return CatalogueState(items, scores)
