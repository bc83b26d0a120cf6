"""Columns of JSON objects: texts, lists of texts, or deeper nested values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lit_rec.data.tables.json.values import Halves, json_of, text_of, whole_characters
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError, excerpt

NESTED = pl.Struct({"json": pl.String})  # an object, or a list inside a list, as JSON text


@dataclass
class Objects:
    """The objects of a piece of the file, with their lines' numbers and texts."""

    records: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def column_of(
    name: str,
    lines: Objects,
    kinds: dict[str, tuple[str, int]],
    halves: Halves,
    ids: Collection[str],
    *,
    as_json: bool = False,
) -> pl.Series:
    """Return the values of a key, null where an object lacks it.

    Args:
        name: The key.
        lines: The objects.
        kinds: From earlier pieces: key -> the kind of its values, and the line of the first.
        halves: Counts texts with half a character.
        ids: Keys whose values must not be changed.
        as_json: Whether each value becomes its JSON text, as values of several kinds do where they are no error.

    Raises:
        DataError: If the values are of several kinds, or an id holds half a character.
    """
    if as_json:
        return _as_json(name, [record.get(name) for record in lines.records], lines)
    values = [record.get(name) for record in lines.records]
    types = set(map(type, values)) - {type(None)}
    if not types:
        return pl.Series(name, values, pl.Null)
    if len(types) > 1 or name in kinds or types & {list, dict}:
        _check_kind(name, values, lines, kinds, halves.source)
    else:
        kinds[name] = ("one value", _first_line(values, lines))
    if types <= {str, bool}:
        texts = values if types == {str} else [text_of(value) for value in values]
        return _texts(name, texts, lines.numbers, halves, ids)
    if types == {list}:
        return _lists(name, values, lines, halves, ids)
    return _as_json(name, values, lines)


def _as_json(name: str, values: Sequence[Any], lines: Objects) -> pl.Series:
    objects = [
        value if value is None else {"json": whole_characters(text_of(json_of(line, name)) or "")}
        for value, line in zip(values, lines.texts, strict=True)
    ]
    return pl.Series(name, objects, NESTED)


def _texts(
    name: str,
    texts: Sequence[str | None],
    numbers: Sequence[int],
    halves: Halves,
    ids: Collection[str],
) -> pl.Series:
    try:
        return pl.Series(name, texts, pl.String)
    except UnicodeEncodeError:  # half of a surrogate pair
        repaired = [
            halves.repaired(text, number, name, ids)
            for text, number in zip(texts, numbers, strict=True)
        ]
        return pl.Series(name, repaired, pl.String)


def _lists(
    name: str,
    values: Sequence[list[Any] | None],
    lines: Objects,
    halves: Halves,
    ids: Collection[str],
) -> pl.Series:
    types = {type(entry) for value in values if value for entry in value} - {type(None)}
    if not types:
        return pl.Series(name, values, pl.List(pl.Null))
    if types <= {str, bool}:
        if bool in types:
            values = [v if v is None else [text_of(entry) for entry in v] for v in values]
        try:
            return pl.Series(name, values, pl.List(pl.String))
        except UnicodeEncodeError:
            pairs = zip(values, lines.numbers, strict=True)
            repaired = [
                v if v is None else [halves.repaired(entry, number, name, ids) for entry in v]
                for v, number in pairs
            ]
            return pl.Series(name, repaired, pl.List(pl.String))
    if types & {str, bool}:
        raise several_kinds(name, halves.source)
    nested = [
        v if v is None else [{"json": whole_characters(text_of(entry) or "")} for entry in v]
        for v in values
    ]
    return pl.Series(name, nested, pl.List(NESTED))


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "one value"


def _first_line(values: Sequence[Any], lines: Objects) -> int:
    return next(n for v, n in zip(values, lines.numbers, strict=True) if v is not None)


def _check_kind(
    name: str,
    values: Sequence[Any],
    lines: Objects,
    kinds: dict[str, tuple[str, int]],
    source: Source,
) -> None:
    for value, number, line in zip(values, lines.numbers, lines.texts, strict=True):
        if value is None:
            continue
        kind, first = kinds.setdefault(name, (_kind(value), number))
        if kind != _kind(value):
            shown = text_of(json_of(line, name))
            error = SeveralKindsError(
                f"column {excerpt(name)} holds {_kind(value)}, {excerpt(shown)}, and {kind} on line {first}",
                where=f"{source.where}, line {number}",
                rule="the values of a column are of one kind: single values, lists or objects",
                remedy=f"write {kind} for it in every line, or one kind of another",
            )
            error.column = name
            raise error


class SeveralKindsError(DataError):
    """A column holds values of several kinds; ``column`` is its name."""

    column: str = ""


def several_kinds(name: str, source: Source) -> SeveralKindsError:
    """Return the error for lists that mix single values with lists or objects."""
    error = SeveralKindsError(
        f"the lists of column {excerpt(name)} hold values of several kinds",
        where=source.where,
        rule="the entries of lists are of one kind: single values, or lists and objects",
        remedy="write entries of one kind into all of these lists",
    )
    error.column = name
    return error
