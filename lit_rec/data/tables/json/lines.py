"""JSON lines: one object a line, into a table of texts and lists of texts."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

import polars as pl

from lit_rec.data.tables.cleaning_step import BrokenLineError, BrokenLines, CleaningStep
from lit_rec.data.tables.json.blocks import Block, blocks_of
from lit_rec.data.tables.json.columns import Objects, column_of, several_kinds
from lit_rec.data.tables.json.values import (
    Halves,
    UnreadableLineError,
    half_characters,
    read_record,
    repeated_keys,
    text_of,
)
from lit_rec.data.tables.source import LOST, OTHERS, Source
from lit_rec.errors import DataError, excerpt

_RULE = "one JSON object a line"
_UNKNOWN: dict[
    pl.DataType, pl.DataType
] = {  # type of a column without values in a piece -> its type if no piece has values
    pl.Null(): pl.String(),
    pl.List(pl.Null): pl.List(pl.String),
}
_LEAST_FILLED = 50  # a table needs at least one value in so many cells
_CELLS = 10**7


def read_json_lines(
    source: Source,
    *,
    ids: Collection[str] = (),
    notes: list[CleaningStep] | None = None,
    broken: BrokenLines | None = None,
    mixed: set[str] | None = None,
    damaged: dict[str, int] | None = None,
) -> pl.DataFrame:
    """Return a table of the objects; a key that an object lacks is null there.

    Every value is its text in the file, numbers too: the reader gives columns types later. A list is a list of such
    texts.

    Args:
        source: The file.
        ids: Columns that must not be changed, not even by half a character.
        notes: A list to which changes in other columns are added.
        broken: Where lines that are not objects are noted; they are an error where it is None.
        mixed: Columns whose values become JSON texts, since they are of several kinds.
        damaged: Gets the columns with bytes that are not UTF-8, which become U+FFFD, and the first such line of each;
            where it is None, such bytes are an error.

    Raises:
        DataError: If a line is not a JSON object, has a key twice, or a column mixes single values with lists or
            objects.
    """
    frames: list[pl.DataFrame] = []
    kinds: dict[str, tuple[str, int]] = {}
    halves = Halves(source)
    for block in blocks_of(source):
        objects = _objects(block, source, broken, damaged)
        frames.append(_table(objects, kinds, halves, ids, mixed or set()))
        if broken is not None:
            broken.lines += objects.numbers
    if notes is not None:
        notes += halves.steps(sum(map(len, frames)))
    return _joined(frames, source)


def _joined(frames: list[pl.DataFrame], source: Source) -> pl.DataFrame:
    """Join the pieces of a table; a column without values in a piece takes its type from other pieces."""
    kinds: dict[str, pl.DataType] = {}
    for frame in frames:
        for name, kind in frame.schema.items():
            other = kinds.setdefault(name, kind)
            if other in _UNKNOWN:
                kinds[name] = kind
            elif kind not in (other, *_UNKNOWN):
                raise several_kinds(name, source)
    kinds = {name: _UNKNOWN.get(kind, kind) for name, kind in kinds.items()}
    cast = []
    for frame in frames:
        others = [frame[n].cast(kinds[n]) for n, kind in frame.schema.items() if kind != kinds[n]]
        cast.append(frame.with_columns(others) if others else frame)
    return pl.concat(cast, how="diagonal") if cast else pl.DataFrame()


def _texts_of(
    block: Block, source: Source, damaged: dict[str, int] | None
) -> Iterator[tuple[str, bool]]:
    """Yield the block's lines, and whether each is UTF-8."""
    try:
        text = source.decoded(block.content, block.start)
    except DataError:
        if damaged is None or (block.start == 1 and block.content.startswith(OTHERS)):
            raise
        for line in block.lines:
            each = line.decode(errors="replace")
            yield each, each.encode() == line
        return
    yield from ((each, True) for each in text.removesuffix("\n").split("\n"))


def _note_damage(record: dict[str, Any], number: int, damaged: dict[str, int]) -> None:
    """Note the keys whose values have lost bytes; a key that lost some itself cannot be named, and is left out."""
    for key in list(record):
        if LOST in key:
            del record[key]
        elif LOST in (text_of(record[key]) or ""):
            damaged.setdefault(key, number)


def _objects(
    block: Block, source: Source, broken: BrokenLines | None, damaged: dict[str, int] | None
) -> Objects:
    found = Objects()
    for number, (each, whole) in enumerate(_texts_of(block, source, damaged), block.start):
        if not each or each.isspace():
            continue
        try:
            record, line = _record_of(each, source, number)
        except BrokenLineError as error:
            if broken is None:
                raise (error if whole else source.undecoded(number)) from error.__cause__
            broken.found.append((number, excerpt(each.strip())))
            continue
        if not whole and damaged is not None:
            _note_damage(record, number, damaged)
        found.records.append(record)
        found.numbers.append(number)
        found.texts.append(line)
    return found


def _record_of(line: str, source: Source, number: int) -> tuple[dict[str, Any], str]:
    try:
        record, written = read_record(line.strip())
    except UnreadableLineError as error:
        raise _unreadable(line, str(error), source, number) from error
    if twice := repeated_keys(record):
        raise _twice(min(twice), line, source, number)
    return record, written


def _twice(key: str, line: str, source: Source, number: int) -> BrokenLineError:
    return BrokenLineError(
        f"the key {excerpt(key)} is twice in {excerpt(line.strip())}",
        where=f"{source.where}, line {number}",
        rule="an object has a key once",
        remedy="keep one of them",
    )


def _unreadable(line: str, says: str, source: Source, number: int) -> BrokenLineError:
    begins_array = number == 1 and line.lstrip()[:1] == "["
    begins_object = number == 1 and line.strip() == "{"
    shape = "one list of objects" if begins_array else "one object over several lines"
    return BrokenLineError(
        f"{excerpt(line.strip())} {says}"
        + (f"; the file looks like {shape}" if begins_array or begins_object else ""),
        where=f"{source.where}, line {number}",
        rule=_RULE,
        remedy=_as_lines(source, "'.[]'" if begins_array else ".")
        if begins_array or begins_object
        else 'correct or remove the line; an object is written {"column": value, ...}',
    )


def _as_lines(source: Source, wanted: str) -> str:
    """Return how a file becomes one of an object a line."""
    name = source.path.name.removesuffix(".gz").rpartition(".")[0]
    file, new = (
        shlex.quote(str(path))
        for path in (source.path, source.path.with_name(f"{name}_lines.jsonl"))
    )
    packed = source.path.suffix.lower() == ".gz"
    command = f"gunzip -c {file} | jq -c {wanted}" if packed else f"jq -c {wanted} {file}"
    return f"write each object on a line of its own, for example: `{command} > {new}`"


def _table(
    lines: Objects,
    kinds: dict[str, tuple[str, int]],
    halves: Halves,
    ids: Collection[str],
    mixed: Collection[str],
) -> pl.DataFrame:
    names = list(dict.fromkeys(chain.from_iterable(lines.records)))
    values = sum(map(len, lines.records))
    if len(names) * len(lines.records) > _LEAST_FILLED * values + _CELLS:
        raise DataError(
            f"{len(lines.records):,} objects have {len(names):,} different keys, "
            f"{values / len(lines.records):.0f} each",
            where=halves.source.where,
            rule="keys are the names of columns, and most objects have most of them",
            remedy="write keys that differ from object to object as values",
        )
    columns = []
    for name in names:
        if half_characters(name):
            raise DataError(
                f"the key {excerpt(name)} holds half of a surrogate pair",
                where=halves.source.where,
                rule="keys are texts",
                remedy="rename the key",
            )
        columns.append(column_of(name, lines, kinds, halves, ids, as_json=name in mixed))
    return pl.DataFrame(dict(zip(names, columns, strict=True)))
