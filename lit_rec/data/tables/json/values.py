"""JSON values: a line of text into an object whose numbers and texts are those of the file."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError, excerpt

DEEPEST = 500  # lists and objects inside each other; the parsers at hand end at 1,000
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_HALVES = re.compile("[\ud800-\udfff]")


class UnreadableLineError(ValueError):
    """A line is no object that can be read; the text says why."""


class _Repeated(dict[str, Any]):
    """An object in which a key stands twice."""

    keys_twice: frozenset[str] = frozenset()


def read_object(line: str) -> dict[str, Any]:
    r"""Return the object of a line: numbers as the text they stand in, NaN as None, which is what is meant by it.

    No number is turned into one: ``9007199254740993`` would lose its last digit on the way through floats, ``1.0`` its
    zero.

    Raises:
        UnreadableLineError: If the line is not JSON, not an object, or nested too deep.

    Example:
        >>> read_object('{"id": 9007199254740993, "price": 1.50, "old": NaN, "new": true}')
        {'id': '9007199254740993', 'price': '1.50', 'old': None, 'new': True}
    """
    return _read(line, _EXACT)


def repeated_keys(record: dict[str, Any]) -> frozenset[str]:
    """Return the keys that stand twice in an object of ``read_object``.

    Example:
        >>> repeated_keys(read_object('{"a": 1, "b": 2, "a": 3}'))
        frozenset({'a'})
    """
    return record.keys_twice if isinstance(record, _Repeated) else frozenset()


def read_literal(line: str) -> dict[str, Any]:
    """Return an object that is written as a Python literal, as in older archives.

    Raises:
        UnreadableLineError: If it is not one.

    Example:
        >>> read_literal("{'id': 'B7', 'price': 1.5}")
        {'id': 'B7', 'price': 1.5}
    """
    _check_depth(line)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in old files
            record = ast.literal_eval(line)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise UnreadableLineError("is not JSON") from error
    if not isinstance(record, dict):
        raise UnreadableLineError("is not an object")
    return record


def json_of(line: str, key: str) -> Any:
    """Return a value of a line whose numbers are numbers, so that it can be written as JSON again."""
    return _read(line, _PLAIN).get(key)


def text_of(value: Any) -> str | None:
    """Return a value as text; lists and objects as JSON.

    Example:
        >>> [text_of(value) for value in ("Heat", True, None, ["a", {"b": 1}])]
        ['Heat', 'true', None, '["a", {"b": 1}]']
    """
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str, ensure_ascii=False)


def half_characters(text: str) -> int:
    r"""Return how many halves of surrogate pairs stand alone in a text: JSON can write what is no character.

    Example:
        >>> half_characters(read_object('{"a": "\\ud83d and \\ud83d\\ude00"}')["a"])
        1
    """
    return 0 if text.isascii() else len(_HALVES.findall(text))


def whole_characters(text: str) -> str:
    """Return a text in which each lone half of a pair is U+FFFD, the sign for a lost character."""
    return _HALVES.sub("\ufffd", text)


def _read(line: str, decoder: json.JSONDecoder) -> dict[str, Any]:
    _check_depth(line)
    try:
        record = decoder.decode(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableLineError("is not JSON") from error
    if not isinstance(record, dict):
        raise UnreadableLineError("is not an object")
    return record


def _check_depth(line: str) -> None:
    """Raise where lists and objects stand too deep inside each other, in a time that grows with the line alone."""
    if line.count("[") + line.count("{") + line.count("(") <= DEEPEST:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(line):
        sign = match.group()
        depth += (sign in "[{") - (sign in "]}")
        if depth > DEEPEST:
            raise UnreadableLineError(f"is nested more than {DEEPEST} deep")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    keys = [key for key, _ in pairs]
    repeated = _Repeated(record)
    seen: set[str] = set()
    repeated.keys_twice = frozenset(key for key in keys if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return repeated


def _constant(name: str) -> str | None:
    return None if name == "NaN" else name


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) < 4000 else digits  # Python reads no longer ones


_EXACT = json.JSONDecoder(
    parse_int=str, parse_float=str, parse_constant=_constant, object_pairs_hook=_object
)
_PLAIN = json.JSONDecoder(parse_int=_whole, parse_constant=_constant)


@dataclass
class Halves:
    """Texts in which half a character was lost: how many, and where the first stands.

    Args:
        source: The file.
    """

    source: Source
    count: int = 0
    first: str = ""

    def mend(self, text: str | None, line: int, column: str, ids: Collection[str]) -> str | None:
        """Return a text of whole characters, and count it if it lost one.

        Raises:
            DataError: If it stands in a column of ids: two of them could become one.
        """
        if text is None or not half_characters(text):
            return text
        if column in ids:
            raise DataError(
                f"{excerpt(column)} holds {excerpt(text)}, in which half of a surrogate pair stands alone",
                where=f"{self.source.where}, line {line}",
                rule="ids are read as they are, and half a character is no text",
                remedy="write the id again, or leave the line out",
            )
        self.count += 1
        self.first = self.first or f"line {line}"
        return whole_characters(text)

    def steps(self, lines: int) -> list[CleaningStep]:
        """Return what a report says of it."""
        rule = (
            f"half a character, such as half of an emoji, became U+FFFD ({self.source.path.name})"
        )
        step = CleaningStep(rule, self.count, lines, self.first, "texts", "changed")
        return [step] if self.count else []
