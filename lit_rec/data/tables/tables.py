"""Tables: behaviors, items and users as Polars frames, and reading one from a file."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from lit_rec.data.tables.cleaning_step import BrokenLineError, BrokenLines, CleaningStep
from lit_rec.data.tables.column_values import NoSuchValuesError, kind_of, plain_columns, texts_of
from lit_rec.data.tables.delimited import parse_delimited
from lit_rec.data.tables.headers import check_names
from lit_rec.data.tables.json.columns import SeveralKindsError
from lit_rec.data.tables.json.lines import read_json_lines
from lit_rec.data.tables.problems import SHOWN, Dropping, first_of
from lit_rec.data.tables.quotes import as_quoted
from lit_rec.data.tables.source import JSON_LINES, LOST, OTHERS, Source
from lit_rec.errors import DataError, excerpt, some_of

_SPREADSHEET = "save it as CSV in UTF-8 with the program that made it"
_OTHER_KINDS = dict.fromkeys((".xlsx", ".xls", ".ods"), _SPREADSHEET) | {
    ".zip": "unpack it, and name the file that was in it"
}


@dataclass(frozen=True)
class Tables:
    """The tables that a reader returns, with canonical column names.

    Args:
        behaviors: user_id, item_id (String); optional rating (Float64), event, label (String), timestamp (Float64
            seconds), history (List[String]) or history_index (UInt32), split; ``row`` (Int64), the place in the input's
            order.
        items: item_id (String) and any other columns.
        users: user_id (String) and any other columns, or None.
        ordered: Whether the rows are declared to be in the order of time.
        sources: Files of the behaviors and the number of rows from each, in the order of ``row``, for errors.
        histories: ``history`` (List[String], oldest first): lists that several behaviors share, each stored once. A
            behavior's history_index is a row here, null where it has no history.
        dropped: What the reader left out, and why.
        undecoded: ``items`` or ``users``, and a column with bytes that are not UTF-8 -> its file and first such line.

    Example:
        >>> behaviors = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "rating": [4.0], "row": [0]})
        >>> tables = Tables(behaviors, items=pl.DataFrame({"item_id": ["a"], "title": ["Heat"]}))
        >>> tables.users is None, tables.ordered, tables.place(0)
        (True, False, 'row 1 of the behaviors')
    """

    behaviors: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame | None = None
    ordered: bool = False
    sources: tuple[tuple[Source, int], ...] = ()
    histories: pl.DataFrame | None = None
    dropped: tuple[CleaningStep, ...] = ()
    undecoded: Mapping[tuple[str, str], tuple[Source, int]] = field(default_factory=dict)

    def check_decoded(self, table: str, columns: Iterable[str]) -> None:
        """Raise if one of the columns has bytes that are not UTF-8; in other columns they are U+FFFD.

        Args:
            table: ``items`` or ``users``.
            columns: Those that are read.

        Raises:
            DataError: With the first line of such a column.
        """
        for column in columns:
            if (table, column) in self.undecoded:
                source, line = self.undecoded[table, column]
                raise source.undecoded(line)

    def place(self, row: int) -> str:
        """Return the file and line that a behavior came from.

        Args:
            row: Its ``row``.

        Example:
            >>> frame = pl.DataFrame({"item_id": ["a"]})
            >>> base, test = (Source.table(Path(f"{n}.tsv"), "file") for n in ("base", "test"))
            >>> Tables(frame, frame, sources=((base, 3), (test, 2))).place(4)
            'file=test.tsv, line 3'
        """
        start = 0
        for source, count in self.sources:
            if row < start + count:
                return f"{source.where}, {source.places([row - start])[0]}"
            start += count
        return f"row {row + 1} of the behaviors"


def read_table(path: Path, *, option: str, delimiter: str | None = None) -> pl.DataFrame:
    """Read CSV, TSV, Parquet or JSON lines, each plain or ``.gz``, by the file's ending.

    Columns of text files stay strings; the reader gives them types later. A byte-order mark is accepted.

    Args:
        path: The file.
        option: How the user gave it, for errors.
        delimiter: What separates columns; by the ending where it is None.

    Raises:
        DataError: If the file is absent, damaged, not UTF-8, of an unknown kind, or has no rows.
    """
    return read_source(Source.table(path, option, delimiter))


def read_source(
    source: Source, *, ids: Collection[str] = (), notes: list[CleaningStep] | None = None
) -> pl.DataFrame:
    """Read the table of a source; see ``read_table``.

    Args:
        source: The file.
        ids: Its columns of ids: a damaged text in them is refused, not changed.
        notes: A list to which changes in other columns are added.

    Raises:
        DataError: As ``read_table`` does.
    """
    return _read(source, ids, notes, None)


def read_valid(
    source: Source,
    dropping: Dropping,
    *,
    ids: Collection[str] = (),
    needed: Collection[str] = (),
    undecoded: dict[str, tuple[Source, int]] | None = None,
) -> tuple[pl.DataFrame, Source]:
    """Read the table of a source, and return it with the source of its rows; lines may be left out.

    A column that is not needed stops nothing: in JSON lines, values of several kinds become objects; in all text files,
    bytes that are not UTF-8 become U+FFFD.

    Args:
        source: The file.
        dropping: What happens to lines that cannot be read; its steps get what was changed or left out.
        ids: Its columns of ids: a damaged text in them is refused, not changed.
        needed: Columns that are read for certain.
        undecoded: Gets the other columns with bytes that are not UTF-8, and the file and the first line of each.

    Raises:
        DataError: As ``read_table`` does, where such lines are not left out, or more than half of all are such.
    """
    broken, damaged = BrokenLines(), dict[str, int]()
    try:
        left_out = broken if dropping.drops else None
        frame = _read(source, ids, dropping.steps, left_out, needed=needed, damaged=damaged)
    except BrokenLineError as error:
        raise dropping.named(error) from error
    dropping.settle_bytes(damaged, frame, source, needed)
    if undecoded is not None:
        undecoded |= {name: (source, line) for name, line in damaged.items()}
    if not broken.found:
        return frame, source
    total = len(frame) + len(broken.found)
    places = [f"line {number}" for number, _ in broken.found[:SHOWN]]
    shown = first_of(len(broken.found), places, [line for _, line in broken.found[:SHOWN]])
    if len(broken.found) > len(frame):
        raise DataError(
            f"{len(broken.found):,} of {total:,} lines cannot be read: {shown}",
            where=source.where,
            rule=f"{dropping.option} drop leaves out at most half of the rows",
            remedy=_for_first(source),
        )
    example = f"{source.path.name}, {shown}"
    dropping.steps.append(
        CleaningStep("the line cannot be read", len(broken.found), total, example, "lines")
    )
    return frame, replace(source, lines=np.array(broken.lines))


def _for_first(source: Source) -> str:
    """Return what to do with the first line that cannot be read."""
    try:
        read_source(source)
    except DataError as error:
        return error.remedy
    return "correct or remove these lines"


def _read(
    source: Source,
    ids: Collection[str],
    notes: list[CleaningStep] | None,
    broken: BrokenLines | None,
    *,
    needed: Collection[str] | None = None,
    damaged: dict[str, int] | None = None,
) -> pl.DataFrame:
    """Read a table; where ``needed`` and ``damaged`` are given, columns that are not needed stop nothing."""
    source.check()
    if source.ending == ".parquet":
        frame = _parquet(source.content(), source.where)
    elif source.ending in JSON_LINES:
        frame = _json_lines(source, ids, notes, broken, needed, damaged)
    elif source.delimiter is not None:
        frame = _delimited(source, source.delimiter, broken, damaged)
    else:
        raise DataError(
            f"the ending '{source.path.suffix}' does not say what the file holds",
            where=source.where,
            rule="csv, tsv, parquet, jsonl, ndjson or json, each also with .gz",
            remedy=_OTHER_KINDS.get(source.ending, "give it the ending of what it holds")
            + (
                f", or set {option} for a text file" if (option := source.options.delimiter) else ""
            ),
        )
    if frame.is_empty() and not (broken and broken.found):
        columns = f", only the columns {some_of(frame.columns)}" if frame.columns else ""
        raise DataError(
            f"the table has no rows{columns}",
            where=source.where,
            rule="at least one row",
            remedy="write rows into it, or name another file",
        )
    return frame


def _json_lines(
    source: Source,
    ids: Collection[str],
    notes: list[CleaningStep] | None,
    broken: BrokenLines | None,
    needed: Collection[str] | None,
    damaged: dict[str, int] | None,
) -> pl.DataFrame:
    """Read JSON lines; values of several kinds are refused in columns of ids and needed ones, in all without such."""
    mixed: set[str] = set()
    while True:
        found: list[CleaningStep] = []
        try:
            frame = read_json_lines(
                source, ids=ids, notes=found, broken=broken, mixed=mixed, damaged=damaged
            )
        except SeveralKindsError as error:
            if needed is None or error.column in {*ids, *needed, *mixed}:
                raise
            mixed.add(error.column)
            if broken is not None:
                broken.found, broken.lines = [], []
            continue
        if notes is not None:
            notes += found
        return frame


def _delimited(
    source: Source, delimiter: str, broken: BrokenLines | None, damaged: dict[str, int] | None
) -> pl.DataFrame:
    try:
        text, is_whole = source.text(), True
    except DataError:
        if damaged is None or source.content().startswith(OTHERS):
            raise
        text, is_whole = source.text(errors="replace"), False
    text, quotes = as_quoted(text, delimiter, source.quotes)
    names = None if source.has_header else source.names
    if names:
        check_names(names, text, quotes, source)
    frame = parse_delimited(
        text,
        delimiter,
        source.where,
        quotes=quotes,
        names=names,
        broken=broken,
        options=source.options,
    )
    if damaged is not None and not is_whole:
        lines = np.array(broken.lines) if broken is not None and broken.found else source.lines
        lined = replace(source, lines=lines)
        for column in frame:
            rows = column.str.contains(LOST, literal=True).arg_true()
            if len(rows):
                damaged[column.name] = lined.line_of(rows[0])
    return frame


def _parquet(content: bytes, where: str) -> pl.DataFrame:
    try:
        with _quiet():
            return plain_columns(pl.read_parquet(io.BytesIO(content)))
    except NoSuchValuesError as error:
        raise DataError(
            str(error),
            where=where,
            rule="dates of a calendar",
            remedy="correct these dates, or leave the column or these rows out",
        ) from error
    # damaged bytes can make Polars panic, which is not an Exception
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        says = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"the {len(content):,} bytes are not Parquet that can be read, or are cut ({says[:80]})",
            where=where,
            rule="a whole Parquet file",
            remedy="write it again; if it is another kind of file, give it that ending",
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the trace that Polars writes to standard error when it panics."""
    try:
        stderr = os.dup(2)
    except OSError:  # a process without a standard error
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        sys.stderr.flush()
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(nowhere)
        os.close(stderr)


def together(frames: Sequence[pl.DataFrame], sources: Sequence[Source]) -> pl.DataFrame:
    """Return the rows of several files as one table; a column whose types differ is read as text.

    Raises:
        DataError: If a column has lists in one file and single values in another.
    """
    kinds: dict[str, pl.DataType] = {}
    differ: set[str] = set()
    for frame in frames:
        differ.update(n for n, kind in frame.schema.items() if kinds.setdefault(n, kind) != kind)
    texts = [
        frame.with_columns(_as_texts(frame, differ, source))
        for frame, source in zip(frames, sources, strict=True)
    ]
    for name in differ:
        found = {
            frame.schema[name]: source
            for frame, source in zip(texts, sources, strict=True)
            if name in frame.columns
        }
        if len(found) > 1:
            (kind, first), (other, second) = list(found.items())[:2]
            raise DataError(
                f"column {excerpt(name)} holds {kind_of(other)}, and {kind_of(kind)} in {first.path}",
                where=second.where,
                rule="a column is of one kind in all files",
                remedy=f"write {kind_of(kind)} here too, or leave the column out of one of them",
            )
    return pl.concat(texts, how="diagonal")


def _as_texts(frame: pl.DataFrame, names: set[str], source: Source) -> list[pl.Series]:
    texts = []
    for name in [name for name in frame.columns if name in names]:
        try:
            texts.append(texts_of(frame[name]))
        except NoSuchValuesError as error:
            raise DataError(
                f"column {excerpt(name)} {error}, and other values in another file",
                where=source.where,
                rule="a column is of one kind in all files",
                remedy="write texts or numbers here too, or leave the column out of this file",
            ) from error
    return texts
