"""Read a few known keys from files of JSON objects, one a line.

Files are read block by block; broken lines are refused or dropped.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any, Literal

import numpy as np
import polars as pl

from lit_rec.data.arrays import Int64s
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.json.blocks import Block, blocks_of
from lit_rec.data.tables.json.values import (
    Halves,
    UnreadableLineError,
    json_of,
    read_record,
    repeated_keys,
    text_of,
)
from lit_rec.data.tables.source import LOST, Source
from lit_rec.errors import DataError, excerpt, some_of

_NUMBER = r"^-?\d+(\.\d+)?$"
_NONE = np.empty(0, np.int64)
BrokenLines = Literal["error", "drop"]
Schema = Mapping[str, pl.DataType | type[pl.DataType]]


@dataclass
class _Broken:
    """Lines that are not objects: their number, and the first ones."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, line: str) -> None:
        self.count += 1
        if len(self.first) < 4:
            self.first.append((number, line))


@dataclass(frozen=True)
class _Wanted:
    """What is read from each object.

    Args:
        schema: Key -> ``pl.String`` or ``pl.List(pl.String)``.
        ids: Keys whose values must not be changed.
        numbers: Keys whose values are numbers, however they are written.
    """

    schema: Schema
    ids: Collection[str]
    numbers: Collection[str]

    def misread(self, frame: pl.DataFrame, block: Block, plain: pl.Series | None) -> pl.Series:
        """Return ``[L]`` bool: rows that the fast parser may have read wrongly.

        It writes ``1.0`` as 1, and takes the first of two equal keys.

        Args:
            frame: The rows that it read.
            block: The lines.
            plain: Which lines it read; None: all.
        """

        def texts() -> pl.Series:
            return block.texts if plain is None else block.texts.filter(plain)

        odd = pl.repeat(False, len(frame), eager=True)
        for key, kind in self.schema.items():
            values = frame[key]
            # a row with a value has the key at least once
            if block.content.count(f'"{key}"'.encode()) != len(frame) - values.null_count():
                odd |= texts().str.count_matches(f'"{key}"', literal=True) > 1
            if kind != pl.String:
                if values.explode().str.contains(_NUMBER).any():
                    odd |= texts().str.contains(r"[\[,]\s*-?(?:\d+[.eE]|\d{19}|0)")
            elif key not in self.numbers and values.str.contains(_NUMBER).any():
                odd |= texts().str.contains(rf'"{re.escape(key)}"\s*:\s*-?(?:\d+[.eE]|\d{{19}}|0)')
        return odd


def read_json_records(
    source: Source,
    schema: Schema,
    *,
    broken_lines: BrokenLines = "error",
    ids: Collection[str] = (),
    numbers: Collection[str] = (),
    option: str = "",
    others: Mapping[str, str] | None = None,
) -> tuple[pl.DataFrame, Source, tuple[CleaningStep, ...]]:
    """Return the wanted keys of every object, the source with the line of each row, and the steps of cleaning.

    The steps say how many lines were dropped or changed.

    A key that an object lacks is null there. Where the schema wants text, a number is its text in the file. Lines that
    are Python literals instead of JSON, as in older files, are read too.

    Args:
        source: The file.
        schema: The wanted keys: ``pl.String`` or ``pl.List(pl.String)``. The first one identifies the file.
        broken_lines: What happens to lines that are not objects.
        ids: Keys whose values must not be changed, not even by half a character.
        numbers: Keys whose values are numbers: their text may differ from the file's where the number is the same.
        option: The option that sets ``broken_lines``, for errors.
        others: Keys of other archives, and the class that reads each, for errors.

    Raises:
        DataError: If the file is absent or damaged, has no object, no object has the first key, or a line is broken and
            ``broken_lines`` is ``error``.
    """
    wanted = _Wanted(schema, ids, numbers)
    frames = [pl.DataFrame(schema=schema)]
    places: list[Int64s] = [_NONE]
    broken, halves = _Broken(), Halves(source)
    for block in blocks_of(source):
        frame, number = _read(block, wanted, broken, halves)
        frames.append(frame)
        places.append(number)
    frame = pl.concat(frames)
    total = len(frame) + broken.count
    if broken.count and (broken_lines == "error" or frame.is_empty()):
        way = f", or set {option} to drop to leave such lines out" if option else ""
        raise _not_objects(broken, total, source, way)
    _check_key(frame, next(iter(schema)), source, others or {})
    example = "line {}: {}".format(*broken.first[0]) if broken.first else ""
    step = CleaningStep(
        f"not a JSON object ({source.path.name})", broken.count, total, example, "lines"
    )
    read = replace(source, lines=np.concatenate(places))
    return frame, read, (step, *halves.steps(total))


def _read(
    block: Block, wanted: _Wanted, broken: _Broken, halves: Halves
) -> tuple[pl.DataFrame, Int64s]:
    """Return the rows of a block and their lines: by the fast parser where it reads correctly, else one by one."""
    try:
        frame, number, left = _fast(block, wanted)
    except (pl.exceptions.PolarsError, ValueError):  # not UTF-8, or the fast parser fails
        frame, number, left = pl.DataFrame(schema=wanted.schema), _NONE, None
    if left is None:
        return _slowly(block.numbered(), wanted, broken, halves)
    if not len(left):
        return frame, number
    pairs = ((place + block.start, block.lines[place]) for place in left.tolist())
    rest, of_rest = _slowly(pairs, wanted, broken, halves)
    number = np.concatenate([number, of_rest])
    order = np.argsort(number)
    return pl.concat([frame, rest])[order], number[order]


def _fast(block: Block, wanted: _Wanted) -> tuple[pl.DataFrame, Int64s, Int64s]:
    """Return the rows that the fast parser reads correctly, their lines, and the places of the other lines."""
    schema = dict(wanted.schema)
    filled, plain = None, _readable(block)
    if plain is None:
        frame = pl.read_ndjson(block.content, schema=schema)
    if plain is not None or len(frame) != block.count:  # the parser skips empty lines
        filled = block.texts.str.contains(r"\S")
        plain = filled if plain is None else filled & plain
        lines = [*compress(block.lines, plain)]
        frame = pl.DataFrame(schema=schema)
        if lines:
            frame = pl.read_ndjson(b"\n".join(lines), schema=schema)
        if len(frame) != len(lines):
            raise ValueError
    misread = wanted.misread(frame, block, plain)
    place = np.arange(block.count) if plain is None else plain.arg_true().to_numpy()
    left = place[misread.to_numpy()]
    if plain is not None:
        left = np.concatenate([left, (filled & ~plain).arg_true()])
    if misread.any():
        frame, place = frame.filter(~misread), place[~misread.to_numpy()]
    return frame, place.astype(np.int64) + block.start, left.astype(np.int64)


def _readable(block: Block) -> pl.Series | None:
    """Return which lines the fast parser may read ``[L]``; None: all.

    It would read half of a surrogate pair as NUL, and would not recognise a key with an escape.
    """
    if b"\\u" not in block.content:
        return None
    odd = block.texts.str.contains(r"\\u[dD][89a-fA-F]|\\u[^\"]*\"\s*:")
    return ~odd if odd.any() else None


def _slowly(
    lines: Iterable[tuple[int, bytes]], wanted: _Wanted, broken: _Broken, halves: Halves
) -> tuple[pl.DataFrame, Int64s]:
    """Read line by line what the fast parser could not read."""
    columns: dict[str, list[Any]] = {name: [] for name in wanted.schema}
    numbers = []
    for number, content in lines:
        shown = content.decode(errors="replace")
        if not shown.strip():
            continue
        try:
            values = _values(shown.strip(), wanted, number, halves)
            if shown.encode() != content and any(LOST in str(value) for value in values.values()):
                raise UnreadableLineError("is not UTF-8")
        except UnreadableLineError as error:
            says = "" if str(error).startswith("is not") else f" {error}"
            broken.add(number, excerpt(shown.strip()) + says)
            continue
        numbers.append(number)
        for name, value in values.items():
            columns[name].append(value)
    return pl.DataFrame(columns, schema=dict(wanted.schema)), np.array(numbers, np.int64)


def _values(line: str, wanted: _Wanted, number: int, halves: Halves) -> dict[str, Any]:
    """Return the wanted values of a line.

    Raises:
        UnreadableLineError: If it is not an object, or has a wanted key twice.
        DataError: If an id holds half a character.
    """
    record, line = read_record(line)
    twice = repeated_keys(record) & wanted.schema.keys()
    if twice:
        raise UnreadableLineError(f"has the key {excerpt(min(twice))} twice")
    values: dict[str, Any] = {}
    for key, kind in wanted.schema.items():
        value = record.get(key)
        if _has_objects(value, kind):
            value = json_of(line, key)  # numbers in it are numbers
        if kind == pl.String:
            values[key] = halves.repaired(text_of(value), number, key, wanted.ids)
        elif value is None:
            values[key] = None
        else:
            entries = value if isinstance(value, list | tuple) else [value]
            texts = map(text_of, entries)
            values[key] = [halves.repaired(text, number, key, wanted.ids) for text in texts]
    return values


def _has_objects(value: Any, kind: pl.DataType | type[pl.DataType]) -> bool:
    if isinstance(value, list) and kind != pl.String:
        return any(isinstance(entry, list | dict) for entry in value)
    return isinstance(value, list | dict)


def _not_objects(broken: _Broken, total: int, source: Source, way: str) -> DataError:
    return DataError(
        f"{broken.count:,} of {total:,} lines are not JSON objects",
        where=source.where,
        details=[f"line {number}: {line}" for number, line in broken.first[:3]],
        rule="one JSON object a line",
        remedy="name another file: no line is an object"
        if broken.count == total
        else f"download the file again{way}",
    )


def _check_key(frame: pl.DataFrame, key: str, source: Source, others: Mapping[str, str]) -> None:
    """Raise if the file has no objects, or no object has the key."""
    if not frame.is_empty() and frame[key].null_count() < len(frame):
        return
    line = next((b for b in next(source.blocks(1 << 20), b"").split(b"\n") if b.strip()), b"")
    try:
        keys = list(read_record(line.decode(errors="replace").strip())[0])
    except UnreadableLineError:
        keys = []
    readers = [reader for other, reader in others.items() if other in keys]
    raise DataError(
        f"no object has the key '{key}'; the first has {some_of(keys)}"
        if keys
        else "the file holds no object",
        where=source.where,
        rule=f"one JSON object a line, with the keys {', '.join(frame.columns)}",
        remedy=f"read it with {readers[0]}"
        if readers
        else f"name another file, whose objects have the key '{key}'",
    )
