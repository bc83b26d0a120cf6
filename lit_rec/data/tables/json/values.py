"""JSON values: read a line of text as an object whose numbers keep their text in the file."""

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

DEEPEST = 500  # levels of lists and objects; the parsers fail at 1,000
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)
_HALVES = re.compile("[\ud800-\udfff]")


class UnreadableLineError(ValueError):
    """A line cannot be read as an object; the text says why."""


class _Repeated(dict[str, Any]):
    """An object that has a key twice."""

    keys_twice: frozenset[str] = frozenset()


def read_object(line: str) -> dict[str, Any]:
    r"""Return the object of a line: numbers as their text in the file, NaN as None.

    Numbers are not converted: as a float, ``9007199254740993`` would lose its last digit, and ``1.0`` its zero.

    Raises:
        UnreadableLineError: If the line is not JSON, not an object, or nested too deep.

    Example:
        >>> read_object('{"id": 9007199254740993, "price": 1.50, "old": NaN, "new": true}')
        {'id': '9007199254740993', 'price': '1.50', 'old': None, 'new': True}
    """
    return _read(line, _EXACT)


def repeated_keys(record: dict[str, Any]) -> frozenset[str]:
    """Return the keys that an object of ``read_object`` has twice.

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


def read_record(line: str) -> tuple[dict[str, Any], str]:
    """Return the object of a line that is JSON, or a Python literal as in older archives, and the line as JSON.

    Raises:
        UnreadableLineError: If it is neither.

    Example:
        >>> read_record("{'id': 'B7', 'price': 1.5}")
        ({'id': 'B7', 'price': '1.5'}, '{"id": "B7", "price": 1.5}')
    """
    try:
        return read_object(line), line
    except UnreadableLineError:
        if not line.startswith("{"):
            raise
        try:
            written = json.dumps(read_literal(line), default=str)
            return read_object(written), written
        except (UnreadableLineError, TypeError, ValueError):
            pass
        raise


def json_of(line: str, key: str) -> Any:
    """Return a value of a line with numbers as numbers, so that it can be written as JSON again."""
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
    r"""Return how many single halves of surrogate pairs a text holds: JSON can contain them.

    Example:
        >>> half_characters(read_object('{"a": "\\ud83d and \\ud83d\\ude00"}')["a"])
        1
    """
    return 0 if text.isascii() else len(_HALVES.findall(text))


def whole_characters(text: str) -> str:
    """Return a text in which each single half of a pair is replaced by U+FFFD, the sign for a lost character."""
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
    """Raise if lists and objects are nested too deep; takes time in proportion to the line's length."""
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
    """Counts texts that hold half a character, such as of an emoji that was cut, and replaces it.

    Args:
        source: The file.
    """

    source: Source
    count: int = 0
    first: str = ""

    def repaired(
        self, text: str | None, line: int, column: str, ids: Collection[str]
    ) -> str | None:
        """Return the text with half characters replaced, and count it if there were any.

        Raises:
            DataError: If the column holds ids: two different ids could become equal.
        """
        if text is None or not half_characters(text):
            return text
        if column in ids:
            raise DataError(
                f"{excerpt(column)} holds {excerpt(text)}, with half of a surrogate pair",
                where=f"{self.source.where}, line {line}",
                rule="ids are read as they are, and half a character is not text",
                remedy="write the id again, or leave the line out",
            )
        self.count += 1
        self.first = self.first or f"line {line}"
        return whole_characters(text)

    def steps(self, lines: int) -> list[CleaningStep]:
        """Return the step for a report on cleaning; none where nothing was replaced."""
        rule = (
            f"half a character, such as half of an emoji, became U+FFFD ({self.source.path.name})"
        )
        step = CleaningStep(rule, self.count, lines, self.first, "texts", "changed")
        return [step] if self.count else []
