"""JSON lines: one object a line, into a table."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from lit_rec.data.delimited import excerpt
from lit_rec.errors import DataError


def parse_json_lines(text: str, where: str) -> pl.DataFrame:
    r"""Return a table of the objects; a key that an object lacks is null there.

    Args:
        text: The file's text; empty lines count for nothing.
        where: The file, for errors.

    Raises:
        DataError: If a line is not a JSON object, or a column holds texts here and lists or objects there.

    Example:
        >>> parse_json_lines('{"item_id": "a"}\n{"item_id": "b", "year": 1995}', "t.jsonl").rows()
        [('a', None), ('b', 1995)]
    """
    records: list[dict[str, Any]] = []
    numbers: list[int] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            records.append(_record(line, f"{where}, line {number}"))
            numbers.append(number)
    if not records:
        return pl.DataFrame()
    _check_kinds(records, numbers, where)
    try:
        return pl.from_dicts(records, infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise DataError(
            f"a column holds values of several kinds ({str(error).partition(';')[0][:80]})",
            where=where,
            rule="the values of a column are of one kind: text, numbers or lists",
            remedy="make them one kind in every line",
        ) from error


def _record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{excerpt(line)} is not JSON",
            where=where,
            rule="one JSON object a line",
            remedy="mend or remove the line",
        ) from error
    if not isinstance(record, dict):
        raise DataError(
            f"{excerpt(line)} is not an object",
            where=where,
            rule="one JSON object a line",
            remedy='write it as {"column": value, ...}',
        )
    return record


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "one value"


def _check_kinds(records: list[dict[str, Any]], numbers: list[int], where: str) -> None:
    first: dict[str, tuple[str, int]] = {}
    for record, number in zip(records, numbers, strict=True):
        for name, value in record.items():
            if value is None:
                continue
            kind, line = first.setdefault(name, (_kind(value), number))
            if kind != _kind(value):
                raise DataError(
                    f"column '{name}' holds {_kind(value)}, {excerpt(json.dumps(value))}, and {kind} on line {line}",
                    where=f"{where}, line {number}",
                    rule="the values of a column are of one kind: single values, lists or objects",
                    remedy="make them one kind in every line",
                )
