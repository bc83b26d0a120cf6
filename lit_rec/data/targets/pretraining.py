"""PretrainingTarget: nothing is predicted of a row but its text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lit_rec.data.arrays import Float32s, Int64s
from lit_rec.data.history.rule import Where
from lit_rec.data.prepared import Prepared
from lit_rec.data.targets.target_rule import TargetRule


class PretrainingTarget(TargetRule):
    """Texts are learned as they are: labels and ratings are not read, and every row counts."""

    name = "pretraining"

    def facts(
        self, prepared: Prepared, train: Int64s, labels: Sequence[str] | None, *, with_users: bool
    ) -> dict[str, Any]:
        """Return that there are no labels, and of items how many rows they have, where users behave."""
        none = {"labels": (), "label_counts": (), "item_bias": None}
        return {**none, "item_log_frequency": with_users}

    def of_rows(
        self, prepared: Prepared, labels: Sequence[str], where: Where | None = None
    ) -> Float32s:
        """Return zeros ``[R]``."""
        return np.zeros(len(prepared.item), np.float32)
