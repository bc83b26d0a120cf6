"""Which columns of items or users can be fields: numbers, categories, yes and no, tags."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lit_rec.data.fields.category import CategoryField
from lit_rec.data.fields.field import Field
from lit_rec.data.fields.number import NumberField
from lit_rec.errors import LitRecError
from lit_rec.init.column_names import is_id_name, words_of
from lit_rec.init.columns import Column
from lit_rec.init.table_files import TableFile

_MOST_CATEGORIES = 1000
_MOST_TAGS = 0.2  # distinct tags for each tag of a row: more are no tags
_CODES = frozenset(("zip", "zipcode", "postcode", "postal", "plz", "phone"))
_SEPARATORS = ("|", ";", ", ", ",")


@dataclass(frozen=True)
class FieldGuess:
    """A column that can be a field.

    Args:
        column: The column.
        kind: Name of the field's class.
        why: What its values are.
        options: Other arguments of the class.
    """

    column: str
    kind: str
    why: str
    options: dict[str, Any] = field(default_factory=dict)

    def build(self) -> Field:
        """Return the field."""
        kinds: dict[str, Any] = {"NumberField": NumberField, "CategoryField": CategoryField}
        made: Field = kinds[self.kind](self.column, **self.options)
        return made


@dataclass(frozen=True)
class FieldColumns:
    """The fields of a table, and the columns that are none.

    Args:
        fields: Columns that can be fields.
        unused: Other columns, each with the reason.
    """

    fields: tuple[FieldGuess, ...] = ()
    unused: tuple[str, ...] = ()


def guess_fields(file: TableFile, used: Collection[str], training: pl.DataFrame) -> FieldColumns:
    """Guess the fields of the columns that are not used otherwise; each is fitted once, so that training can.

    Args:
        file: Items or users.
        used: Columns with another meaning.
        training: The rows that training will see.
    """
    fields, unused = [], []
    for column in file.columns.values():
        if column.name in used or column.is_row_number:
            continue
        guess, why = _guess(column)
        if guess is not None:
            try:
                guess.build().fit(training, "init")
            except LitRecError:
                guess, why = None, "too few values in training rows, or values of several kinds"
        if guess is None:
            unused.append(f"{column.name} ({why})")
        else:
            fields.append(guess)
    return FieldColumns(tuple(fields), tuple(unused))


def _guess(column: Column) -> tuple[FieldGuess | None, str]:
    """Return the field, or None and why the column is none."""
    if column.distinct < 2:
        return None, "one value" if column.distinct else "empty"
    if column.labels is not None:
        no, yes = column.labels
        return FieldGuess(column.name, "CategoryField", f"{no!r} or {yes!r}"), ""
    if column.is_time:
        return None, "times"
    words = words_of(column.name)
    # numbers that name something: 12 is not between 11 and 13
    is_code = is_id_name(column.name) or any(w.endswith("id") or w in _CODES for w in words[-1:])
    if column.is_numeric and not column.is_nested and not is_code:
        return _number(column)
    return _category(column)


def _number(column: Column) -> tuple[FieldGuess | None, str]:
    numbers = column.numbers.to_numpy()
    low, high = numbers.min(), numbers.max()
    # each number once, without a gap
    counts = column.is_key_like and column.is_whole and high - low == column.distinct - 1
    if counts:
        return None, "ids"
    return FieldGuess(column.name, "NumberField", f"numbers from {low:g} to {high:g}"), ""


def _category(column: Column) -> tuple[FieldGuess | None, str]:
    name, distinct = column.name, column.distinct
    kinds = f"{distinct:,} distinct value{'s' * (distinct != 1)}, such as {column.shown(1)}"
    tags = _tags(column)
    if tags is not None:
        count, options = tags
        return FieldGuess(name, "CategoryField", f"{count:,} tags; {kinds}", options), ""
    share = distinct / max(len(column.texts), 1)
    if share <= 0.5 and distinct <= _MOST_CATEGORIES and column.words <= 8:
        return FieldGuess(name, "CategoryField", kinds), ""
    return None, kinds


def _tags(column: Column) -> tuple[int, dict[str, Any]] | None:
    """Return how many tags the values are made of, and the options to read them; None where they are no tags."""
    for tags, options in _splits(column):
        count = tags.n_unique()
        if 2 <= count <= _MOST_CATEGORIES and count <= max(_MOST_TAGS * len(tags), 2):
            return count, options
    return None


def _splits(column: Column) -> Iterator[tuple[pl.Series, dict[str, Any]]]:
    values = column.values
    if isinstance(values.dtype, pl.List) and not values.dtype.inner.is_nested():
        yield values.explode().drop_nulls(), {}
    elif values.dtype == pl.String:
        for separator in _SEPARATORS:
            if column.texts.str.contains(separator, literal=True).mean() > 0.2:  # type: ignore[operator]
                split = column.texts.str.split(separator).explode().str.strip_chars()
                yield split.filter(split != ""), {"separator": separator}
