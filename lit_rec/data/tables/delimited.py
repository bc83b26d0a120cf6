"""Read text with delimiters into columns of strings; errors name the damaged line."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from lit_rec.data.tables.cleaning_step import BrokenLineError, BrokenLines
from lit_rec.errors import DataError, excerpt

_WORD = re.compile(r"[^\W\d_]{2}")


def parse_delimited(
    text: str,
    delimiter: str,
    where: str,
    *,
    quotes: bool = True,
    names: Sequence[str] | None = None,
    broken: BrokenLines | None = None,
    options: DelimitedOptions | None = None,
) -> pl.DataFrame:
    r"""Return the columns of a text as strings; an empty cell is null.

    Args:
        text: The file's text.
        delimiter: What separates the columns.
        where: The file, for errors.
        quotes: Whether a cell may be in quotes.
        names: Names of the columns of a text without a header.
        broken: Where lines that cannot be read are noted; they are an error where it is None.
        options: What the reader calls its options, for errors.

    Raises:
        DataError: If the header has another delimiter, a line has more or fewer columns than the others, or a quote
            does not end.

    Example:
        >>> parse_delimited('id,title\n7,"Heat, the film"', ",", "films.csv").rows()
        [('7', 'Heat, the film')]
    """
    text = text.rstrip("\r\n")
    options = options or DelimitedOptions()
    if names is None and _has_row_names(text, delimiter, quotes):
        text = delimiter + text
    form = _Form(delimiter, where, quotes, list(names or ()), names is None, options)
    if names is not None:
        return _parsed(text, form, broken)
    form = replace(form, header=_header(text, form))
    return _parsed(text, form, broken).rename(_column_names(form), strict=False)


@dataclass(frozen=True)
class DelimitedOptions:
    """What a reader calls its options, for errors; empty where it has no such option.

    Args:
        delimiter: The option that sets the delimiter.
        names: The option that names the columns of a file without a header.
    """

    delimiter: str = ""
    names: str = ""


@dataclass(frozen=True)
class _Form:
    """How the text is written; see ``parse_delimited``."""

    delimiter: str
    where: str
    quotes: bool
    header: list[str]
    has_header: bool
    options: DelimitedOptions

    @property
    def schema(self) -> dict[str, type[pl.String]]:
        return dict.fromkeys(self.header, pl.String)


def _parsed(text: str, form: _Form, broken: BrokenLines | None) -> pl.DataFrame:
    try:
        frame = pl.read_csv(
            text.encode(),
            separator=form.delimiter,
            infer_schema=False,
            has_header=False,
            skip_rows=int(form.has_header),
            quote_char='"' if form.quotes else None,
            schema=form.schema,
        )
    except pl.exceptions.NoDataError:
        return pl.DataFrame(schema=form.schema)
    except pl.exceptions.PolarsError:
        return _slowly(text, form, broken)
    if _is_whole(frame, text, form.delimiter, form.header if form.has_header else None):
        return frame
    return _slowly(text, form, broken)


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


def cells_of(line: str, delimiter: str, *, quotes: bool) -> list[str]:
    """Return the cells of a line; none where its quotes do not end.

    Example:
        >>> cells_of('7,"Heat, the film"', ",", quotes=True)
        ['7', 'Heat, the film']
    """
    line = line.rstrip("\r")
    try:
        return next(csv.reader([line], delimiter=delimiter, quoting=_quoting(quotes)), [])
    except csv.Error:
        return []


def check_start(text: str, where: str, rule: str) -> None:
    r"""Check that a text has a first line that is not empty.

    Raises:
        DataError: If it has none.

    Example:
        >>> check_start("\n1,2", "t.csv", "rows")
        Traceback (most recent call last):
        lit_rec.errors.DataError: t.csv, line 1: the first line is empty...
    """
    if text.partition("\n")[0].strip("\r"):
        return
    holds = bool(text.strip("\r\n"))
    raise DataError(
        "the first line is empty" if holds else "the file is empty",
        where=f"{where}, line 1",
        rule=rule,
        remedy="remove the line" if holds else "name another file, or write rows into it",
    )


def _header(text: str, form: _Form) -> list[str]:
    check_start(text, form.where, f"a header and columns separated by {form.delimiter!r}")
    line = text.partition("\n")[0].rstrip("\r")
    header = cells_of(line, form.delimiter, quotes=form.quotes)
    others = _delimiters(line, form.delimiter)
    # a single column may be of names that are items, not of numbers
    alone = len(header) == 1 and not _WORD.search(text[len(line) :])
    if not header or (len(header) == 1 and others) or alone:
        raise DataError(
            f"the header {excerpt(line)} is one column",
            where=f"{form.where}, line 1",
            rule=f"a header and columns separated by {form.delimiter!r}",
            remedy=_separated(form, others or [" "] * (" " in line)),
        )
    repeated = [name for name, count in Counter(header).items() if count > 1 and name.strip()]
    if repeated:
        raise _twice(min(repeated), len(header), form)
    # columns without a name, such as those of delimiters at the end of lines, get different names for the parser
    blank = [place for place, name in enumerate(header) if not name.strip()]
    for place in blank[1:]:
        header[place] = f"column {place + 1}"
    return header


def _delimiters(line: str, delimiter: str) -> list[str]:
    """Return other delimiters that a line has, the most frequent first."""
    counts = {sign: line.count(sign) for sign in "\t,;|" if sign != delimiter}
    return sorted((sign for sign in counts if counts[sign]), key=lambda sign: -counts[sign])


def _separated(form: _Form, others: Sequence[str]) -> str:
    """Return what to do where no delimiter is in the header."""
    again, option = f"write {form.delimiter!r} between its columns", form.options.delimiter
    if option:
        other = repr(others[0]) if others else "what is there"
        again += f", or set {option} to {other} if all text files have it"
    return again if others else f"{again}; add a column where there is only one"


def _column_names(form: _Form) -> dict[str, str]:
    """Return the names without spaces around them."""
    names = {name: name.strip() for name in form.header}
    repeated = [name for name, count in Counter(names.values()).items() if count > 1]
    if repeated:
        raise _twice(min(repeated), len(names), form)
    return names


class RepeatedNameError(DataError):
    r"""A header names two columns equally; it may be a row.

    Example:
        >>> parse_delimited("5,5\n3,4", ",", "t.csv")
        Traceback (most recent call last):
        lit_rec.data.tables.delimited.RepeatedNameError: t.csv, line 1: the column '5' is twice in the header...
    """


def _twice(name: str, count: int, form: _Form) -> RepeatedNameError:
    option, names = form.options.names, ", ".join(numbered_names(count))
    return RepeatedNameError(
        f"the column {excerpt(name)} is twice in the header",
        where=f"{form.where}, line 1",
        rule="every column has a name of its own",
        remedy="rename one of them"
        + (f"; if the first line is a row, set {option} to [{names}]" if option else ""),
    )


def numbered_names(count: int) -> list[str]:
    """Return names for columns that have none.

    Example:
        >>> numbered_names(2)
        ['column_1', 'column_2']
    """
    return [f"column_{place}" for place in range(1, count + 1)]


def _has_row_names(text: str, delimiter: str, quotes: bool) -> bool:
    """Return whether rows begin with their number, and the header does not name it, as R writes tables."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, quoting=_quoting(quotes))
    try:
        header, *rows = itertools.islice(reader, 4)
    except (csv.Error, ValueError):
        return False
    numbers = [str(number) for number in range(1, len(rows) + 1)]
    return (
        bool(rows)
        and all(len(row) == len(header) + 1 for row in rows)
        and [row[0] for row in rows] == numbers
        and any(row[-1] for row in rows)
    )


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


def _slowly(text: str, form: _Form, broken: BrokenLines | None) -> pl.DataFrame:
    """Read record by record what the fast parser could not read.

    Raises:
        DataError: With the first damaged line, where lines are not left out.
    """
    lines = text.split("\n") if text else []
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    start = 0  # of the record, from 0
    while start < len(lines):
        begun = start
        reader = csv.reader(
            (f"{line}\n" for line in lines[begun:]),
            delimiter=form.delimiter,
            quoting=_quoting(form.quotes),
            strict=True,
        )
        try:
            for cells in reader:
                if len(cells) == len(form.header):
                    rows.append([cell or None for cell in cells])
                    numbers.append(start + 1)
                elif broken is None:
                    raise _ragged(cells, start + 1, form, _width(text, form))
                else:
                    broken.found.append((start + 1, excerpt(form.delimiter.join(cells))))
                start = begun + reader.line_num
        except csv.Error as error:
            if broken is None:
                raise _unquoted(lines[start], start + 1, form, error) from error
            broken.found.append((start + 1, excerpt(lines[start])))
            start += 1  # what follows may be read
    first = int(form.has_header)
    if broken is not None:
        broken.lines = numbers[first:]
    return pl.DataFrame(rows[first:], schema=form.schema, orient="row")


def _unquoted(line: str, number: int, form: _Form, error: csv.Error) -> BrokenLineError:
    return BrokenLineError(
        f"the quotes of {excerpt(line)} do not end as they should ({error})",
        where=f"{form.where}, line {number}",
        rule='a quoted value ends with ", and a quote inside is doubled',
        remedy="end the quotes, or write a quote inside a cell twice",
    )


def _width(text: str, form: _Form) -> int | None:
    """Return the number of columns of all rows, where several rows agree in it; only the first ones are counted."""
    reader = csv.reader(io.StringIO(text), delimiter=form.delimiter, quoting=_quoting(form.quotes))
    try:
        rows = [len(cells) for cells in itertools.islice(reader, 1000) if cells]
    except csv.Error:
        return None
    widths = rows[int(form.has_header) :]
    return widths[0] if len(widths) > 1 and len(set(widths)) == 1 else None


def _ragged(cells: list[str], number: int, form: _Form, width: int | None) -> BrokenLineError:
    seen = f"{len(cells)} column{'s' * (len(cells) != 1)}, {excerpt(form.delimiter.join(cells))}"
    error = BrokenLineError(
        seen if cells else "the line is empty",
        where=f"{form.where}, line {number}",
        rule=f"every line has {len(form.header)} columns"
        + (f"; a value with {form.delimiter!r} in it is in quotes" if form.quotes else ""),
        remedy=_mended(cells, form, width),
    )
    error.alike = width == len(cells)
    return error


def _mended(cells: list[str], form: _Form, width: int | None) -> str:
    if width != len(cells):
        return "correct or remove the line"
    if form.has_header:
        return f"write {width} names into the first line: all rows have {width} columns"
    return f"name another file: all rows have {width} columns"
