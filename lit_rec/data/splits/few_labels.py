"""FewLabelsSplit: only some training rows of each label train."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.prepared import ALL_PARTS
from lit_rec.data.splits.splits import GivenSplit, is_label_name
from lit_rec.errors import ConfigError
from lit_rec.ranges import count

_LEFT_OUT = ALL_PARTS.index("shown")


class FewLabelsSplit(GivenSplit):
    """``GivenSplit``, of whose training rows a few of each label train, drawn at random; the others are left out.

    It measures what a model learns of few labelled rows. Texts that are names of labels train beside them. Rows without
    a label are left out, too. Validation rows are drawn first, so they are not among the few.

    Args:
        rows_per_label: How many rows of each label train; all of a label that has fewer.
        validation: Share of the training rows that validate, where the data has no validation rows.
        seed: Seed of both draws.

    Raises:
        ConfigError: If ``rows_per_label`` is below 1, or as for ``GivenSplit``; or, by ``assign``, if the data has no
            labels.

    Reference:
        Casanueva et al. 2020, Efficient intent detection, https://arxiv.org/abs/2003.04807, section 4 (10 and 30 rows
        of each intent).

    Example:
        >>> frame = pl.DataFrame({"split": ["train"] * 4 + ["val", "test"], "label": list("aabbab")})
        >>> FewLabelsSplit(rows_per_label=1).assign(frame).to_list()
        ['train', 'shown', 'train', 'shown', 'val', 'test']
    """

    def __init__(self, rows_per_label: int = 10, validation: float = 0.1, seed: int = 0) -> None:
        super().__init__(validation, seed)
        self.rows_per_label = count(self, "rows_per_label", rows_per_label)

    def _assign(self, behaviors: pl.DataFrame, ordered: bool) -> npt.NDArray[np.int8]:
        part = super()._assign(behaviors, ordered)
        train = np.flatnonzero((part == 0) & ~is_label_name(behaviors))
        has_labels = "label" in behaviors.columns
        if not has_labels or (len(train) and not behaviors["label"][train].count()):
            raise ConfigError(
                "no training row has a label",
                where=type(self).__name__,
                rule="rows with a label, of which a few train",
                remedy="map the column of the labels with behavior_columns: {label: NAME}, or use GivenSplit",
            )
        label = behaviors["label"].cast(pl.String)[train]
        drawn = np.random.default_rng(self.seed).permutation(len(train))
        shuffled = pl.DataFrame({"label": label[drawn], "place": drawn}).drop_nulls()
        few = shuffled.group_by("label", maintain_order=True).head(self.rows_per_label)
        kept = train[few["place"].to_numpy()]
        part[train] = _LEFT_OUT
        part[kept] = 0
        return part
