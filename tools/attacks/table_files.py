"""Tables as files: CSV, TSV, JSON lines and Parquet, each as some program might write it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from attacks.table_changes import Table

FORMATS = ("csv", "csv", "tsv", "jsonl", "parquet", "csv.gz", "jsonl.gz")
_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-8-sig", "utf-7")
_DTYPES = (
    *(
        "Int8",
        "Int16",
        "Int32",
        "Int64",
        "UInt8",
        "UInt32",
        "UInt64",
        "Int128",
        "Float32",
        "Float64",
        "Boolean",
    ),
    *(
        "String",
        "Categorical",
        "Binary",
        "Date",
        "Datetime",
        "Duration",
        "Time",
        "Decimal",
        "Null",
        "List",
        "Struct",
    ),
)


def write_file(chance: Random, table: Table, path: Path, kind: str, *, wild: bool) -> str:
    """Write a table, and say what is odd about the file; run this in a child, because it writes with Polars.

    Args:
        chance: Draws what is odd.
        table: The table.
        path: The file.
        kind: One of ``FORMATS``.
        wild: Whether anything is odd beyond what the table itself has.

    Returns:
        What is odd; empty if the file says exactly what the table says.
    """
    odd = ""
    if kind == "parquet":
        content, odd = _parquet(chance, table, wild=wild)
    elif kind.startswith("jsonl"):
        content = _json_lines(chance, table)
    else:
        content = _delimited(table, "\t" if kind == "tsv" else ",")
        if wild and chance.random() < 0.6:
            name = chance.choice(list(_TEXTS))
            content, odd = _TEXTS[name](chance, content), name
    if wild and not odd:
        content, odd = _other_bytes(chance, content)
    path.write_bytes(gzip.compress(content) if kind.endswith(".gz") else content)
    return odd


def _delimited(table: Table, delimiter: str) -> bytes:
    file = io.StringIO()
    if delimiter == "\t":  # which quotes nothing
        for row in [table.header, *table.rows]:
            file.write("\t".join(map(_cell, row)) + "\n")
    else:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerows([list(map(_cell, row)) for row in [table.header, *table.rows]])
    return file.getvalue().encode(errors="surrogatepass")


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _json_lines(chance: Random, table: Table) -> bytes:
    plain = chance.random() < 0.5
    lines = [
        json.dumps(dict(zip(table.header, row, strict=True)), ensure_ascii=plain, default=str)
        for row in table.rows
    ]
    return ("\n".join(lines) + "\n").encode(errors="surrogatepass")


def _parquet(chance: Random, table: Table, *, wild: bool) -> tuple[bytes, str]:
    """Write columns of one type each; in a wild file, a column may have any type of Polars."""
    import polars as pl  # noqa: PLC0415

    columns: dict[str, Any] = {}
    for place, name in enumerate(table.header):
        cells = [row[place] for row in table.rows]
        kinds = {type(cell) for cell in cells if cell is not None}
        try:
            columns[name] = pl.Series(name, cells, strict=len(kinds) == 1)
        except Exception:  # a column without a single type is written as text
            texts = [
                None if cell is None else str(cell).encode(errors="replace").decode()
                for cell in cells
            ]
            columns[name] = pl.Series(name, texts, dtype=pl.String)
    odd = "a column of a name that came twice" if len(columns) < len(table.header) else ""
    frame = pl.DataFrame(columns)
    if wild and chance.random() < 0.7 and frame.width and len(frame):
        name, kind = chance.choice(frame.columns), chance.choice(_DTYPES)
        try:
            frame = frame.with_columns(_typed(frame[name], kind))
            odd = f"{name} as {kind}"
        except Exception as error:
            odd = odd or f"{name} is no {kind} ({type(error).__name__})"
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue(), odd


def _typed(column: Any, kind: str) -> Any:
    import polars as pl  # noqa: PLC0415

    if kind == "List":
        return (
            column.implode().new_from_index(0, len(column)).rename(column.name)
            if len(column) < 3
            else column.to_frame()
            .select(pl.concat_list(column.name).alias(column.name))
            .to_series()
        )
    if kind == "Struct":
        return column.to_frame().to_struct(column.name)
    if kind == "Binary":
        return column.cast(pl.String).cast(pl.Binary)
    if kind == "Decimal":
        return column.cast(pl.Float64, strict=False).cast(pl.Decimal(20, 3), strict=False)
    if kind in ("Date", "Datetime", "Duration", "Time"):
        return (
            column.cast(pl.Float64, strict=False)
            .cast(pl.Int64, strict=False)
            .cast(getattr(pl, kind), strict=False)
        )
    return column.cast(getattr(pl, kind), strict=False)


def _other_bytes(chance: Random, content: bytes) -> tuple[bytes, str]:
    found = bytearray(content)
    at = chance.randrange(len(found)) if found else 0
    how = chance.choice(["flip", "flip", "cut", "insert", "remove", "swap", "nothing"])
    if how == "flip" and found:
        found[at] ^= 1 << chance.randrange(8)
    elif how == "cut":
        del found[at:]
    elif how == "insert":
        found[at:at] = chance.choice(
            [b"\x00", b'"', b"\n", b",", b"\r", b"\xff", b"\t", b"\\", b"\xef\xbb\xbf", b"{"]
        )
    elif how == "remove":
        del found[at : at + chance.choice([1, 10])]
    elif how == "swap" and len(found) > at + 1:
        found[at], found[at + 1] = found[at + 1], found[at]
    return bytes(found), f"bytes: {how} at {at}" if how != "nothing" else ""


def _recoded(chance: Random, content: bytes) -> bytes:
    return content.decode(errors="replace").encode(chance.choice(_ENCODINGS), errors="replace")


def _lines(
    change: Callable[[Random, list[bytes]], list[bytes]],
) -> Callable[[Random, bytes], bytes]:
    return lambda chance, content: b"\n".join(change(chance, content.split(b"\n")))


def _with(line: bytes) -> Callable[[Random, list[bytes]], list[bytes]]:
    def insert(chance: Random, lines: list[bytes]) -> list[bytes]:
        at = chance.randrange(len(lines) + 1)
        return [*lines[:at], line, *lines[at:]]

    return insert


def _quoted(chance: Random, content: bytes) -> bytes:
    mark = chance.choice([b"'", b'"'])
    lines = content.rstrip(b"\n").split(b"\n")
    return b"\n".join(mark + line.replace(b",", mark + b"," + mark) + mark for line in lines)


_TEXTS: dict[str, Callable[[Random, bytes], bytes]] = {
    "encoding": _recoded,
    "carriage returns": lambda c, b: b.replace(b"\n", b"\r\n"),
    "lone carriage returns": lambda c, b: b.replace(b"\n", b"\r"),
    "some carriage returns": lambda c, b: b.replace(b"\n", b"\r\n", 5),
    "semicolons": lambda c, b: b.replace(b",", b";"),
    "pipes": lambda c, b: b.replace(b",", b"|"),
    "tabs": lambda c, b: b.replace(b",", b"\t"),
    "a comma at the ends": lambda c, b: b.replace(b"\n", b",\n"),
    "spaces after commas": lambda c, b: b.replace(b",", b", "),
    "all in quotes": _quoted,
    "no last line end": lambda c, b: b.rstrip(b"\n"),
    "lines at the end": lambda c, b: b + b"\n\n \n",
    "an empty line": _lines(_with(b"")),
    "a comment": _lines(_with(b"# a comment")),
    "a short line": _lines(_with(b"1")),
    "a long line": _lines(_with(b"1,2,3,4,5,6,7,8,9")),
    "an open quote": _lines(_with(b'"1,2,3,4')),
    "a separator line": lambda c, b: b"sep=,\n" + b,
    "no header": lambda c, b: b.partition(b"\n")[2],
    "a mark": lambda c, b: b"\xef\xbb\xbf" + b,
    "two marks": lambda c, b: b"\xef\xbb\xbf\xef\xbb\xbf" + b,
    "zeros at the end": lambda c, b: b + bytes(100),
    "control-z at the end": lambda c, b: b + b"\x1a",
    "twice": lambda c, b: b + b,
}
