"""TextTemplate: which columns of an item make its texts, in which order and with which labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from lit_rec.data.tables.column_values import NoSuchValuesError, texts_of
from lit_rec.errors import ConfigError, DataError, did_you_mean, excerpt, option_of, some_of


class TextTemplate:
    """Join columns of the items table into one text per item, or into one per field.

    Each field is encoded separately, and the model learns a weight for each. A text that many items share, such as a
    list of genres, is then encoded once for all of them.

    A null or empty column adds nothing, neither its label nor a separator. The values of a list are joined by commas.
    A field without any text has the empty text, without the prefix too.

    Args:
        columns: Columns in the order they are read; or names of fields, and the columns of each.
        labels: Text before a column's value, such as ``{"genres": "Genres: "}``; other columns have no label.
        separator: Text between two columns.
        prefix: Text before each field's text, which some encoders were pretrained with, such as ``"query: "`` of E5.
            It counts in ``max_tokens``. Where texts are compared with each other, as items are, E5 wants ``"query: "``
            before all of them.

    Raises:
        ConfigError: If no column is given, or a label names a column that is not in ``columns``.

    Example:
        >>> items = pl.DataFrame({"title": ["Heat", None], "genres": ["Crime", "Drama"]})
        >>> TextTemplate(["title", "genres"], labels={"genres": "Genres: "}).render(items).rows()
        [('Heat. Genres: Crime',), ('Genres: Drama',)]
        >>> TextTemplate({"title": ["title"], "genres": ["genres"]}).render(items).rows()
        [('Heat', 'Crime'), ('', 'Drama')]
        >>> TextTemplate(["title"], prefix="query: ").render(items).rows()
        [('query: Heat',), ('',)]
    """

    def __init__(
        self,
        columns: Sequence[str] | Mapping[str, Sequence[str]],
        labels: Mapping[str, str] | None = None,
        separator: str = ". ",
        prefix: str = "",
    ) -> None:
        fields = columns if isinstance(columns, Mapping) else {"text": columns}
        self.fields = {name: tuple(of_field) for name, of_field in fields.items()}
        self.columns = tuple(dict.fromkeys(c for field in self.fields.values() for c in field))
        self.labels = dict(labels or {})
        self.separator, self.prefix = separator, prefix
        if not self.fields or not all(self.fields.values()):
            empty = [name for name, of_field in self.fields.items() if not of_field]
            raise ConfigError(
                f"field '{empty[0]}' names no column" if empty else "{} names no field",
                where=option_of(self, "columns"),
                rule="at least one column of the items table",
                remedy=f"for example {{{empty[0]}: [title]}}" if empty else "for example [title]",
            )
        for label in self.labels:
            if label not in self.columns:
                raise ConfigError(
                    f"'{label}' is not one of {list(self.columns)}",
                    where=option_of(self, "labels"),
                    rule="a label belongs to a column of TextTemplate.columns",
                    remedy="add the column or remove the label",
                )

    def render(
        self, items: pl.DataFrame, *, option: str = "BehaviorDataModule.text"
    ) -> pl.DataFrame:
        """Return the texts of each item, a column per field, in the table's order.

        Args:
            items: The items table, or the users table.
            option: The option that holds the template, for errors.

        Raises:
            ConfigError: If a column is not in the table.
            DataError: If there is no text of a column's values.
        """
        there = set(items.columns)
        for column in self.columns:
            if column not in there:
                raise ConfigError(
                    f"the table has no column {excerpt(column)}; it has {some_of(items.columns)}",
                    where=f"{option}.columns",
                    rule="columns of the table",
                    remedy=did_you_mean(column, items.columns, "name one of these columns"),
                )
        # by name: in a list of columns, Polars would rename a column whose name is empty
        texts = pl.DataFrame({c: _text(items[c], f"{option}.columns") for c in self.columns})
        return texts.select(
            self._joined(columns).alias(name) for name, columns in self.fields.items()
        )

    def _joined(self, columns: Sequence[str]) -> pl.Expr:
        """Return a field's text, empty where none of its columns has any."""
        parts = [self._labelled(column) for column in columns]
        text = pl.concat_str(parts, separator=self.separator, ignore_nulls=True).fill_null("")
        return pl.when(text != "").then(pl.lit(self.prefix) + text).otherwise(pl.lit(""))

    def _labelled(self, column: str) -> pl.Expr:
        """Return a column's text with its label, or null where there is none."""
        value = pl.col(column).str.strip_chars()
        return pl.when(value != "").then(pl.lit(self.labels.get(column, "")) + value)


def _text(column: pl.Series, where: str) -> pl.Series:
    """Return a column as text, the values of a list joined by commas.

    Raises:
        DataError: If its values cannot be written as text.
    """
    try:
        texts = texts_of(column)
    except NoSuchValuesError as error:
        raise DataError(
            f"column {excerpt(column.name)} {error}",
            where=where,
            rule="texts, numbers, dates, or lists of them",
            remedy="leave the column out, or write its values as texts",
        ) from error
    is_list = isinstance(texts.dtype, pl.List)
    return texts.list.join(", ", ignore_nulls=True) if is_list else texts
