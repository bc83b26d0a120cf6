"""TextTemplate: which columns of an item make its text, in what order, with what labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import polars as pl

from lit_rec.errors import ConfigError


class TextTemplate:
    """Join columns of the items table into one text per item.

    A null or empty column leaves nothing behind, neither its label nor a separator; the values of a list are joined by commas; an item without any text has the empty text.

    Args:
        columns: Columns in the order they are read.
        labels: What stands before a column's value, such as ``{"genres": "Genres: "}``; columns not named have none.
        separator: What stands between two columns.

    Raises:
        ConfigError: If no column is given, or a label names a column that is not in ``columns``.

    Example:
        >>> items = pl.DataFrame({"title": ["Heat", None], "genres": ["Crime", "Drama"]})
        >>> TextTemplate(["title", "genres"], labels={"genres": "Genres: "}).render(items).to_list()
        ['Heat. Genres: Crime', 'Genres: Drama']
    """

    def __init__(
        self,
        columns: Sequence[str],
        labels: Mapping[str, str] | None = None,
        separator: str = ". ",
    ) -> None:
        self.columns = tuple(columns)
        self.labels = dict(labels or {})
        self.separator = separator
        if not self.columns:
            raise ConfigError(
                "[] names no column",
                where="data.text.columns",
                rule="at least one column of the items table",
                remedy="for example [title]",
            )
        for label in self.labels:
            if label not in self.columns:
                raise ConfigError(
                    f"'{label}' is not one of {list(self.columns)}",
                    where="data.text.labels",
                    rule="a label belongs to a column of data.text.columns",
                    remedy="add the column or remove the label",
                )

    def render(self, items: pl.DataFrame) -> pl.Series:
        """Return the text of each item, in the table's order.

        Args:
            items: The items table.

        Raises:
            ConfigError: If a column is not in the table.
        """
        for column in self.columns:
            if column not in items.columns:
                near = get_close_matches(column, items.columns, n=1)
                raise ConfigError(
                    f"the items table has no column '{column}'; it has {', '.join(items.columns)}",
                    where="data.text.columns",
                    rule="columns of the items table",
                    remedy=f"did you mean '{near[0]}'?" if near else "name one of these columns",
                )
        parts = []
        for column in self.columns:
            value = pl.col(column)
            if isinstance(items.schema[column], pl.List):
                value = value.cast(pl.List(pl.String)).list.join(", ", ignore_nulls=True)
            value = value.cast(pl.String).str.strip_chars()
            labelled = pl.lit(self.labels.get(column, "")) + value
            parts.append(pl.when(value != "").then(labelled))
        return items.select(
            pl.concat_str(parts, separator=self.separator, ignore_nulls=True)
        ).to_series()
