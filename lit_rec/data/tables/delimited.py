"""Read text with delimiters into columns of strings; errors name the damaged line."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import polars as pl

from lit_rec.errors import DataError, excerpt


def parse_delimited(
    text: str,
    delimiter: str,
    where: str,
    *,
    quotes: bool = True,
    names: Sequence[str] | None = None,
) -> pl.DataFrame:
    r"""Return the columns of a text as strings; an empty cell is null.

    Args:
        text: The file's text.
        delimiter: What separates the columns.
        where: The file, for errors.
        quotes: Whether a cell may be in quotes.
        names: Names of the columns of a text without a header.

    Raises:
        DataError: If the header is one column, a line has more or fewer columns than the others, or a quote does not
            end.

    Example:
        >>> parse_delimited('id,title\n7,"Heat, the film"', ",", "films.csv").rows()
        [('7', 'Heat, the film')]
    """
    text = text.rstrip("\r\n")
    header = list(names) if names is not None else _header(text, delimiter, where, quotes)
    try:
        frame = pl.read_csv(
            text.encode(),
            separator=delimiter,
            infer_schema=False,
            has_header=False,
            skip_rows=0 if names is not None else 1,
            quote_char='"' if quotes else None,
            schema=dict.fromkeys(header, pl.String),
        )
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema=dict.fromkeys(header, pl.String))
    except pl.exceptions.PolarsError:
        return _slowly(text, delimiter, where, quotes, header, names is None)
    if _is_whole(frame, text, delimiter, header if names is None else None):
        return frame
    return _slowly(text, delimiter, where, quotes, header, names is None)


def record_lines(text: str, delimiter: str) -> list[int]:
    """Return the first line of each record, including the header; a record may have several lines."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    starts = [1]
    try:
        starts += [reader.line_num + 1 for _ in reader]
    except csv.Error:  # a cell beyond the reader's limit: count the quotes instead
        inside = itertools.accumulate(line.count('"') for line in text.split("\n"))
        starts += [number for number, quotes in enumerate(inside, 2) if quotes % 2 == 0]
    return starts


def _quoting(quotes: bool) -> Literal[0, 3]:
    return csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE


def _header(text: str, delimiter: str, where: str, quotes: bool) -> list[str]:
    line = text.partition("\n")[0].rstrip("\r")
    try:
        header = next(csv.reader([line], delimiter=delimiter, quoting=_quoting(quotes)), [])
    except csv.Error:
        header = []
    if len(header) < 2:
        others = [d for d in ("\t", ",", ";", "|") if d != delimiter and d in line]
        raise DataError(
            f"the header {excerpt(line)} is one column" if line else "the file is empty",
            where=f"{where}, line 1",
            rule=f"a header and columns separated by {delimiter!r}",
            remedy=f"set the reader's delimiter to {others[0]!r}"
            if others
            else "check the file's first line",
        )
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise DataError(
            f"the column {excerpt(min(repeated))} is twice in the header",
            where=f"{where}, line 1",
            rule="every column has a name of its own",
            remedy="rename one of them",
        )
    return header


def _is_whole(frame: pl.DataFrame, text: str, delimiter: str, header: list[str] | None) -> bool:
    """Return whether every delimiter and line end of the text separates cells or is inside a cell.

    The fast parser silently fills short lines, and single quotes can make it join lines: then these counts differ.
    """
    rows = len(frame) + (header is not None)
    inside = dict.fromkeys((delimiter, "\n"), 0)
    for sign in inside:
        cells = frame.select(pl.all().str.count_matches(sign, literal=True).sum()).row(0)
        inside[sign] = sum(count or 0 for count in cells)
        inside[sign] += sum(name.count(sign) for name in header or ())
    return (
        text.count(delimiter) - inside[delimiter] == rows * (frame.width - 1)
        and text.count("\n") - inside["\n"] == rows - 1
    )


def _slowly(
    text: str, delimiter: str, where: str, quotes: bool, header: list[str], has_header: bool
) -> pl.DataFrame:
    """Read record by record what the fast parser could not read, or raise with the first damaged line."""
    reader = csv.reader(
        io.StringIO(text),
        delimiter=delimiter,
        quoting=_quoting(quotes),
        strict=True,
    )
    lines = text.split("\n")
    rows: list[list[str | None]] = []
    start = 1
    try:
        for cells in reader:
            if len(cells) != len(header):
                raise _ragged(cells, delimiter, f"{where}, line {start}", len(header), quotes)
            rows.append([cell or None for cell in cells])
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"the quotes of {excerpt(lines[start - 1])} do not end as they should ({error})",
            where=f"{where}, line {start}",
            rule='a quoted value ends with ", and a quote inside is doubled',
            remedy="correct the quotes",
        ) from error
    schema = dict.fromkeys(header, pl.String)
    return pl.DataFrame(rows[int(has_header) :], schema=schema, orient="row")


def _ragged(cells: list[str], delimiter: str, where: str, columns: int, quotes: bool) -> DataError:
    seen = f"{len(cells)} column{'s' * (len(cells) != 1)}, {excerpt(delimiter.join(cells))}"
    return DataError(
        seen if cells else "the line is empty",
        where=where,
        rule=f"every line has {columns} columns"
        + (f"; a value with {delimiter!r} in it is in quotes" if quotes else ""),
        remedy="correct or remove the line",
    )
