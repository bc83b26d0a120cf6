"""Files of JSON objects, one a line, of which a few known keys are wanted: block by block, broken lines named or dropped."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.cleaning_step import CleaningStep
from lit_rec.data.delimited import excerpt
from lit_rec.data.sources import Source
from lit_rec.errors import DataError

BrokenLines = Literal["error", "drop"]
Schema = Mapping[str, pl.DataType | type[pl.DataType]]


@dataclass
class _Broken:
    """Lines that are not objects: how many, and the first of them."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, line: str) -> None:
        self.count += 1
        if len(self.first) < 4:
            self.first.append((number, line))


def read_json_records(
    source: Source, schema: Schema, *, broken_lines: BrokenLines = "error"
) -> tuple[pl.DataFrame, Source, CleaningStep]:
    """Return the wanted keys of every object, the source with the line of each, and how many lines were dropped.

    A key that an object lacks is null there. Numbers stand as texts where the schema wants text. A line that is a Python literal
    rather than JSON, as in older files, is read too.

    Args:
        source: The file.
        schema: The wanted keys: ``pl.String`` or ``pl.List(pl.String)``. The first one identifies the file.
        broken_lines: What happens to lines that are not objects.

    Raises:
        DataError: If the file is absent or damaged, has no object, no object has the first key, or a line is broken and
            ``broken_lines`` is ``error``.
    """
    frames = [pl.DataFrame(schema=schema)]
    numbers: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    broken = _Broken()
    start = 1
    for block in source.blocks():
        count = block.count(b"\n") + (not block.endswith(b"\n"))
        frame = _fast(block, schema)
        number = np.arange(start, start + count)
        if frame is None or len(frame) != count:  # empty lines are skipped by the fast parser
            frame, number = _slowly(block, schema, start, broken)
        frames.append(frame)
        numbers.append(number)
        start += count
    frame = pl.concat(frames)
    total = len(frame) + broken.count
    if broken.count and (broken_lines == "error" or frame.is_empty()):
        raise _not_objects(broken, total, source)
    _check_key(frame, next(iter(schema)), source)
    example = "line {}: {}".format(*broken.first[0]) if broken.first else ""
    step = CleaningStep(
        f"not a JSON object ({source.path.name})", broken.count, total, example, "lines"
    )
    return frame, replace(source, lines=np.concatenate(numbers)), step


def _fast(block: bytes, schema: Schema) -> pl.DataFrame | None:
    """Read a block as a whole, or return None where a line of it needs a closer look."""
    try:
        return pl.read_ndjson(block, schema=dict(schema))
    except (pl.exceptions.PolarsError, ValueError):
        return None


def _slowly(
    block: bytes, schema: Schema, start: int, broken: _Broken
) -> tuple[pl.DataFrame, npt.NDArray[np.int64]]:
    """Read line by line what the fast parser would not."""
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    numbers = []
    for number, content in enumerate(block.removesuffix(b"\n").split(b"\n"), start):
        line = content.decode(errors="replace").strip()
        if not line:
            continue
        record = _record(line) if "\ufffd" not in line else _record_of(content)
        if record is None:
            broken.add(number, excerpt(line))
            continue
        numbers.append(number)
        for name, kind in schema.items():
            value = record.get(name)
            columns[name].append(_texts(value) if kind == pl.List(pl.String) else _text(value))
    return pl.DataFrame(columns, schema=dict(schema)), np.array(numbers, np.int64)


def _record_of(content: bytes) -> dict[str, Any] | None:
    """Read a line that may hold bytes that are not UTF-8: such a line is broken."""
    try:
        return _record(content.decode())
    except UnicodeDecodeError:
        return None


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd escapes in old files
                record = ast.literal_eval(line)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return None
    return record if isinstance(record, dict) else None


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode(errors="replace").decode()  # half of a surrogate pair is no text


def _texts(value: Any) -> list[str | None] | None:
    if value is None:
        return None
    return [_text(entry) for entry in (value if isinstance(value, list | tuple) else [value])]


def _not_objects(broken: _Broken, total: int, source: Source) -> DataError:
    return DataError(
        f"{broken.count:,} of {total:,} lines are not JSON objects",
        where=source.where,
        details=[f"line {number}: {line}" for number, line in broken.first[:3]],
        rule="one JSON object a line",
        remedy="download the file again, or leave such lines out with data.reader.init_args.broken_lines=drop",
    )


def _check_key(frame: pl.DataFrame, key: str, source: Source) -> None:
    """Raise if the file has no objects, or they are of another kind of file."""
    if not frame.is_empty() and frame[key].null_count() < len(frame):
        return
    line = next((b for b in next(source.blocks(1 << 20), b"").split(b"\n") if b.strip()), b"")
    keys = list(_record(line.decode(errors="replace")) or {})
    near = get_close_matches(key, keys, n=1)
    raise DataError(
        f"no object has the key '{key}'; the first has {', '.join(keys[:12])}"
        if keys
        else "the file holds no object",
        where=source.where,
        rule=f"one JSON object a line, with the keys {', '.join(frame.columns)}",
        remedy=f"is '{near[0]}' another format of the same data?"
        if near
        else "check that the option names the right file",
    )
