"""The form of report.json, as a JSON Schema, and a check of a content against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}


def _or_null(kind: str) -> dict[str, Any]:
    return {"type": [kind, "null"]}


# https://json-schema.org/draft/2020-12/schema; docs/report.md says what the entries mean
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["meta", "rows"],
    "additionalProperties": False,
    "properties": {
        "meta": {
            "type": "object",
            "required": [
                *("form", "version", "task", "checkpoint", "date", "data", "seed"),
                *("precision", "seconds", "baseline_seconds", "chosen"),
            ],
            "properties": {
                "form": {"type": "integer", "minimum": 1},
                "version": _TEXT,
                "task": _TEXT,
                "checkpoint": _or_null("string"),
                "date": _TEXT,
                "data": {"type": "string", "minLength": 64, "maxLength": 64},
                "seed": _or_null("integer"),
                "precision": _TEXT,
                "seconds": {"type": "number", "minimum": 0},
                "baseline_seconds": {
                    "type": "object",
                    "additionalProperties": {"type": "number", "minimum": 0},
                },
                "chosen": {"type": "object", "additionalProperties": {"type": "object"}},
                "labels": {"type": "array", "items": _TEXT},
                "items": {"type": "integer", "minimum": 1},
                "convention": _TEXT,
                "approximated": {"type": "object", "additionalProperties": _TEXT},
            },
        },
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["model", "slice", "metric", "value", "low", "high", "count"],
                "additionalProperties": False,
                "properties": {
                    "model": _TEXT,
                    "slice": _TEXT,
                    "metric": _TEXT,
                    "value": _or_null("number"),
                    "low": _or_null("number"),
                    "high": _or_null("number"),
                    "count": {"type": "integer", "minimum": 0},
                },
            },
        },
    },
}

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def problems(content: Any, schema: dict[str, Any] = SCHEMA, where: str = "report") -> Iterator[str]:
    """Yield what a content has that its schema does not allow; only the words that ``SCHEMA`` uses are understood.

    Args:
        content: What ``json.load`` returned.
        schema: The schema.
        where: What the content is called.

    Example:
        >>> list(problems({"rows": [{"model": 1}]}))[:2]
        ["report has no 'meta'", "report.rows[0] has no 'slice'"]
    """
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    is_bool = isinstance(content, bool)
    if kinds and (is_bool or not any(isinstance(content, _KINDS[kind]) for kind in kinds)):
        yield f"{where} is {type(content).__name__}, not {' or '.join(kinds)}"
        return
    if isinstance(content, int | float) and content < schema.get("minimum", content):
        yield f"{where} is {content}, below {schema['minimum']}"
    if isinstance(content, str):
        low, high = schema.get("minLength", 0), schema.get("maxLength", len(content))
        if not low <= len(content) <= high:
            yield f"{where} has {len(content)} characters, not {low} to {high}"
    if isinstance(content, dict):
        yield from _of_object(content, schema, where)
    for place, entry in enumerate(content if isinstance(content, list) else ()):
        yield from problems(entry, schema.get("items", {}), f"{where}[{place}]")


def _of_object(content: dict[str, Any], schema: dict[str, Any], where: str) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in content:
            yield f"{where} has no '{name}'"
    for name, value in content.items():
        if name not in known and others is False:
            yield f"{where} has '{name}', which is not of a report"
        else:
            yield from problems(value, known.get(name, others or {}), f"{where}.{name}")
