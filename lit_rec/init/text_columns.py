"""Which columns of the items make their texts: texts are joined into one field, categories are separate fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lit_rec.errors import ConfigError, did_you_mean, excerpt
from lit_rec.init.column_names import name_score
from lit_rec.init.columns import Column
from lit_rec.init.option_words import joined, meant, option
from lit_rec.init.table_files import TableFile

_MOST_CATEGORIES = 3  # separate fields: each is encoded separately
_SPECIAL = 2  # tokens around a text
_TOKENS_A_WORD = 1.5
_LENGTHS = (16, 32, 64, 128, 256)


@dataclass(frozen=True)
class TextColumns:
    """The fields of an item's text.

    Args:
        fields: Name of a field -> its columns.
        why: Column -> the reason for the guess.
        max_tokens: Longest text in tokens, guessed from its words.
        foreign: Share of texts with letters that English does not have.
    """

    fields: dict[str, list[str]]
    why: dict[str, str]
    max_tokens: int
    foreign: float


def guess_text_columns(
    items: TableFile, key: str, named: Sequence[str] | None = None
) -> TextColumns:
    """Guess from words: titles are short and mostly distinct, a category has few values, a year has a name for it.

    Args:
        items: The items table.
        key: Its column of ids.
        named: Columns to read as one text, where the user gave them.

    Raises:
        ConfigError: If no column has words, or one that is named is not there.
    """
    if named is not None:
        # the table that is read has the key under its canonical name
        named = [key if n == "item_id" and n not in items.columns else n for n in named]
        named = [meant(name, items.columns) for name in named]
        absent = [name for name in named if name not in items.columns]
        if absent or not named:
            near = did_you_mean(absent[0] if absent else "", items.columns)
            raise ConfigError(
                f"{items.path} has no column {excerpt(absent[0])}"
                if absent
                else "no column is named",
                where="--text_columns",
                details=[items.shown],
                rule="columns of the items, divided by commas; a name with a comma stands in double quotes",
                remedy=near or "name some of these columns, or leave the option out",
            )
        why = dict.fromkeys(named, "as --text_columns says")
        return _columns(items, {"text": list(named)}, why, key)
    left = [c for c in items.columns.values() if c.name != key and c.filled > 0.05]
    worded = [c for c in left if c.has_words]
    texts = sorted((c for c in worded if _is_text(c)), key=_order)
    if not texts and _is_name(items.columns[key]):
        texts = [items.columns[key]]
    categories = sorted((c for c in worded if _is_category(c)), key=lambda c: -c.filled)
    fields: dict[str, list[str]] = {}
    if texts:
        years = [c for c in left if name_score(c.name, "year") and _is_year(c)][:1]
        # a year belongs to the title: it distinguishes films with the same name
        fields[texts[0].name] = [c.name for c in (texts[0], *years, *texts[1:])]
    fields |= {c.name: [c.name] for c in categories[:_MOST_CATEGORIES]}
    if not fields:
        raise ConfigError(
            "no column has words",
            where=items.path,
            details=[items.shown],
            rule="an item is known by its texts: a title, a description, a category",
            remedy=f"add a column with titles or descriptions to {items.path}{_also_read(left)}",
        )
    why = {name: _seen(items.columns[name]) for field in fields.values() for name in field}
    return _columns(items, fields, why, key)


def _also_read(left: Sequence[Column]) -> str:
    """Return the option that reads columns without words as texts; nothing where there are none."""
    names = [c.name for c in left if c.name and not c.counts_rows][:_MOST_CATEGORIES]
    if not names:
        return ""
    return f"; or read what is there as text: {option('--text_columns', joined(names))}"


def _columns(
    items: TableFile, fields: dict[str, list[str]], why: dict[str, str], key: str
) -> TextColumns:
    columns = [[items.columns[name] for name in names] for names in fields.values()]
    words = max(sum(column.most_words for column in field) for field in columns)
    wanted = words * _TOKENS_A_WORD + _SPECIAL
    length = next((length for length in _LENGTHS if wanted <= length), _LENGTHS[-1])
    # in the table that is read, the key is called item_id
    fields = {
        name: ["item_id" if column == key else column for column in of_field]
        for name, of_field in fields.items()
    }
    return TextColumns(fields, why, length, max(c.foreign for field in columns for c in field))


def _is_text(column: Column) -> bool:
    if column.values.dtype.is_nested() and not name_score(column.name, "title"):
        return False
    distinct = column.distinct / max(len(column.texts), 1)
    return distinct > 0.5 and (column.most_words > 1 or name_score(column.name, "title") > 0)


def _is_name(key: Column) -> bool:
    """Return whether a key consists of names, such as titles, not of codes."""
    return key.has_words and (key.words > 1.2 or name_score(key.name, "title") > 0)


def _is_category(column: Column) -> bool:
    """Return whether many items share the values, and these are short; a single value carries no information."""
    share = column.distinct / max(len(column.texts), 1)
    return column.distinct > 1 and share <= 0.5 and column.words <= 8


def _is_year(column: Column) -> bool:
    return (
        column.is_numeric and column.is_whole and bool(column.numbers.is_between(1000, 2200).all())
    )


def _order(column: Column) -> tuple[bool, float]:
    """Return a key for sorting: titles first, then short texts before long ones, whose ends may be cut."""
    return not name_score(column.name, "title"), column.words


def _seen(column: Column) -> str:
    if column.is_numeric:
        return f"a year, such as {column.shown(1)}"
    kinds = f"{column.distinct:,} distinct values in {len(column.texts):,} items"
    return f"{kinds}, {column.words:.1f} words each, such as {column.shown(1)}"
