"""Where: which behaviors count in a history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lit_rec.data.arrays import Bools
from lit_rec.data.prepared import Prepared
from lit_rec.errors import ConfigError, option_of


@dataclass(frozen=True)
class Where:
    """Which behaviors count in a history.

    Args:
        events: Names of the events that count; null: all.
        min_rating: Smallest rating that counts; null: all, rows without a rating included.
        labels: Names of the labels that count, such as the clicks among what was shown; null: all.

    Example:
        >>> import pathlib, tempfile, polars as pl
        >>> from lit_rec.data import prepared
        >>> from lit_rec.data.tables import tables
        >>> from lit_rec.data.texts import template as text_template
        >>> rows = pl.DataFrame({"user_id": "u", "item_id": ["a", "b", "c"], "row": range(3)})
        >>> rows = rows.with_columns(rating=pl.Series([5.0, 2.0, None]))
        >>> template = text_template.TextTemplate(["title"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     both = tables.Tables(rows, rows.select("item_id", title="item_id"))
        ...     prepared.prepare(both, pl.Series(["train"] * 3), template, pathlib.Path(folder))
        ...     Where(min_rating=4.0).mask(Prepared.open(pathlib.Path(folder))).tolist()
        [True, False, False]
    """

    events: Sequence[str] | None = None
    min_rating: float | None = None
    labels: Sequence[str] | None = None

    def mask(self, prepared: Prepared) -> Bools:
        """Return ``[R]`` bool.

        Raises:
            ConfigError: If an event or a label is not in the data.
        """
        mask = np.ones(len(prepared), bool)
        for column, wanted, codes, names in (
            ("event", self.events, prepared.event, prepared.events),
            ("label", self.labels, prepared.label, prepared.labels),
        ):
            if wanted is None:
                continue
            unknown = sorted(set(wanted) - set(names))
            if unknown:
                raise ConfigError(
                    f"{unknown} are not {column}s of this data, which has {names[:20]}",
                    where=option_of(self, f"{column}s"),
                    rule=f"names from the {column} column",
                    remedy="correct the names, or leave the option out to count every behavior",
                )
            mask &= np.isin(codes, [names.index(name) for name in wanted])
        if self.min_rating is not None:
            mask &= np.asarray(prepared.rating) >= self.min_rating
        return mask
