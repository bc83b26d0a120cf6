"""NextItemTarget: the item of the row itself, predicted from what came before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.history.rule import Where
from lit_rec.data.prepared import Prepared
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.errors import DataError, option_of


class NextItemTarget(TargetRule):
    """The row's own item, of behaviors that ``history.where`` counts."""

    name = "next_item"
    follows = True

    def training_rows(self, prepared: Prepared, where: Where | None) -> Int64s:
        """Return the training rows that count; the others are neither seen nor predicted.

        Raises:
            DataError: If none counts.
        """
        train = prepared.rows_of("train")
        if where is None:
            return train
        train = train[where.mask(prepared)[train]]
        if not len(train):
            raise DataError(
                f"no training row counts by {where}",
                where=option_of("History", "where"),
                rule="what counts in a history is what is predicted",
                remedy="leave where out, or name events, labels or ratings that training rows have",
            )
        return train

    def facts(
        self, prepared: Prepared, train: Int64s, labels: Sequence[str] | None, *, with_users: bool
    ) -> dict[str, Any]:
        """Return values without labels; the items' frequencies are wanted."""
        return {"labels": (), "label_counts": (), "item_bias": None, "item_log_frequency": True}

    def of_rows(
        self, prepared: Prepared, labels: Sequence[str], where: Where | None = None
    ) -> Int64s:
        """Return the rows' item codes ``[R]``, -1 where ``where`` does not count the row."""
        item = np.asarray(prepared.item, np.int64)
        return item if where is None else np.where(where.mask(prepared), item, -1)
