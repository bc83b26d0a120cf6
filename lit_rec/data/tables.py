"""Tables: behaviors, items and users as Polars frames, and reading one from a file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from lit_rec.errors import DataError

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Tables:
    """What a reader brings, under canonical column names.

    Args:
        behaviors: user_id, item_id (String); optional rating (Float64), event, label (String), timestamp (Float64 seconds),
            history (List[String]), split; ``row`` (Int64), the place in the input's order.
        items: item_id (String) and any other columns.
        users: user_id (String) and any other columns, or None.
        ordered: Whether the data declares its rows to be in time order.
    """

    behaviors: pl.DataFrame
    items: pl.DataFrame
    users: pl.DataFrame | None = None
    ordered: bool = False


def read_table(path: Path, *, option: str, delimiter: str | None = None) -> pl.DataFrame:
    """Read CSV, TSV, Parquet or JSON lines, each plain or ``.gz``, by the file's ending.

    Columns of text files are strings; what they mean is decided by who knows the columns. A byte-order mark is accepted.

    Args:
        path: The file.
        option: How the user gave it, for errors.
        delimiter: What separates columns; by the ending where it is None.

    Raises:
        DataError: If the file is absent, damaged, not UTF-8, of an unknown kind, or has no rows.
    """
    check_file(path, option=option)
    kind = path.suffixes[-2:-1] if path.suffix == ".gz" else path.suffixes[-1:]
    ending = kind[0].lower() if kind else ""
    content = _content(path, option)
    if ending == ".parquet":
        frame = _parquet(content, f"{option}={path}")
    elif ending in _JSON_LINES:
        frame = _json_lines(decode(content, "utf-8-sig", f"{option}={path}"), f"{option}={path}")
    elif ending in _DELIMITERS or delimiter is not None:
        text = decode(content, "utf-8-sig", f"{option}={path}")
        frame = _delimited(text, delimiter or _DELIMITERS[ending], f"{option}={path}")
    else:
        raise DataError(
            f"the ending '{path.suffix}' says nothing of what is inside",
            where=f"{option}={path}",
            rule="csv, tsv, parquet, jsonl or ndjson, each also with .gz",
            remedy="rename the file, or set the reader's delimiter for a text file",
        )
    if frame.is_empty():
        raise DataError(
            "the table has no rows",
            where=f"{option}={path}",
            rule="at least one row",
            remedy="check how the file was made",
        )
    return frame


def header_lines(path: Path) -> int:
    """Return how many lines stand before the first row of a table file."""
    kinds = {suffix.lower() for suffix in path.suffixes[-2:]}
    return 0 if kinds & {".parquet", *_JSON_LINES} else 1


def check_file(path: Path, *, option: str) -> None:
    """Raise a DataError that names near misses if there is no such file."""
    if path.is_file():
        return
    folder = path.parent
    if path.is_dir():
        problem, near = "this is a folder, not a file", []
    else:
        names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        near = get_close_matches(path.name, names, n=3, cutoff=0.5)
        problem = f"there is no such file (seen from {Path.cwd()})"
    raise DataError(
        problem,
        where=f"{option}={path}",
        rule="an existing file",
        remedy=f"did you mean {' or '.join(near)}?" if near else "check the path",
    )


def _content(path: Path, option: str) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(
            f"the file of {path.stat().st_size:,} bytes cannot be read whole ({error})",
            where=f"{option}={path}",
            rule="a complete file that this user can read"
            + (", packed by gzip" if path.suffix == ".gz" else ""),
            remedy="copy or download it again",
        ) from error


def decode(content: bytes, encoding: str, where: str) -> str:
    """Decode bytes.

    Raises:
        DataError: If they are not of that encoding, naming the line.
    """
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        # the error's own bytes: those after a byte-order mark
        line = error.object[: error.start].count(b"\n") + 1
        raise DataError(
            f"byte 0x{error.object[error.start]:02x} is not UTF-8",
            where=f"{where}, line {line}",
            rule="text files are UTF-8",
            remedy="convert it, for example: iconv -f latin1 -t utf-8 FILE > NEW",
        ) from error


def _parquet(content: bytes, where: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"this is not Parquet, or is cut ({str(error).splitlines()[0][:80]})",
            where=where,
            rule="a whole Parquet file",
            remedy="write it again, or give it the ending of what it is",
        ) from error


def _json_lines(text: str, where: str) -> pl.DataFrame:
    records: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise DataError(
                f"{_excerpt(line)} is not JSON",
                where=f"{where}, line {number}",
                rule="one JSON object a line",
                remedy="mend or remove the line",
            ) from error
        if not isinstance(record, dict):
            raise DataError(
                f"{_excerpt(line)} is not an object",
                where=f"{where}, line {number}",
                rule="one JSON object a line",
                remedy='write it as {"column": value, ...}',
            )
        records.append(record)
    if not records:
        return pl.DataFrame()
    try:
        return pl.from_dicts(records, infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise DataError(
            f"a column holds values of several kinds ({str(error).partition(';')[0][:80]})",
            where=where,
            rule="the values of a column are of one kind: text, numbers or lists",
            remedy="make them one kind in every line",
        ) from error


def _delimited(text: str, delimiter: str, where: str) -> pl.DataFrame:
    header = next(csv.reader([text.partition("\n")[0].rstrip("\r")], delimiter=delimiter), [])
    if len(header) < 2:
        others = [d for d in ("\t", ",", ";", "|") if d != delimiter and d in "".join(header)]
        raise DataError(
            f"the header {_excerpt(''.join(header))} is one column",
            where=f"{where}, line 1",
            rule=f"columns are separated by {delimiter!r}",
            remedy=f"set the reader's delimiter to {others[0]!r}"
            if others
            else "check the file's first line",
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(
            f"the column '{repeated[0]}' stands twice in the header",
            where=f"{where}, line 1",
            rule="every column has a name of its own",
            remedy="rename one of them",
        )
    text = text.rstrip("\r\n")
    # tab-separated files quote nothing as a rule, and titles hold lone quotes
    quote = None if delimiter == "\t" else '"'
    try:
        return pl.read_csv(
            io.StringIO(text), separator=delimiter, infer_schema=False, quote_char=quote
        )
    except pl.exceptions.PolarsError as error:
        raise _ragged(text, delimiter, len(header), where) from error


def _ragged(text: str, delimiter: str, columns: int, where: str) -> DataError:
    quotes = delimiter != "\t"
    reader = csv.reader(
        io.StringIO(text),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
    )
    start, line, cells = 0, 1, [""]
    for cells in reader:
        start, line = line, reader.line_num + 1
        if len(cells) > columns:
            return DataError(
                f"{len(cells)} columns, {_excerpt(delimiter.join(cells))}",
                where=f"{where}, line {reader.line_num}",
                rule=f"{columns} columns, as in the header; a value with {delimiter!r} in it stands in quotes",
                remedy="mend the line",
            )
    return DataError(
        f"a quote is opened and never closed, {_excerpt(delimiter.join(cells))}",
        where=f"{where}, line {start}",
        rule='a quoted value ends with ", and a quote inside is doubled',
        remedy="mend the quotes",
    )


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def rename_columns(
    frame: pl.DataFrame,
    mapping: dict[str, str],
    required: Iterable[str],
    *,
    option: str,
    where: str,
) -> pl.DataFrame:
    """Give a file's columns their canonical names.

    Args:
        frame: The table as read.
        mapping: Canonical name -> the file's name.
        required: Canonical names that must be there.
        option: The option that holds the mapping, for errors.
        where: The file, for errors.

    Raises:
        DataError: If a mapped or required column is not in the file, or a column of the file is mapped twice.
    """
    for canonical, name in mapping.items():
        if name not in frame.columns:
            raise _no_column(name, frame.columns, where, f"{option}.{canonical}")
        if list(mapping.values()).count(name) > 1:
            raise DataError(
                f"column '{name}' is mapped to {sorted(c for c, n in mapping.items() if n == name)}",
                where=option,
                rule="a column of the file has one meaning",
                remedy="leave one of them",
            )
    taken = {
        canonical
        for canonical in mapping
        if canonical in frame.columns and mapping[canonical] != canonical
    }
    frame = frame.drop([c for c in taken if c not in mapping.values()])
    frame = frame.rename({name: canonical for canonical, name in mapping.items()})
    for canonical in required:
        if canonical not in frame.columns:
            raise _no_column(canonical, frame.columns, where, f"{option}.{canonical}")
    return frame


def _no_column(name: str, columns: list[str], where: str, option: str) -> DataError:
    near = get_close_matches(name, columns, n=1, cutoff=0.5)
    return DataError(
        f"there is no column '{name}'; the file has {', '.join(columns[:12])}",
        where=where,
        rule="names are those of the file's header",
        remedy=f"set {option} to the right column"
        + (f" (did you mean '{near[0]}'?)" if near else ""),
    )
