"""Names of columns: give them canonical ones, and notice text files whose first line is a row like the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import polars as pl

from lit_rec.data.tables.cells import is_missing
from lit_rec.data.tables.delimited import cells_of, check_start, numbered_names
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.times import to_seconds
from lit_rec.errors import DataError, did_you_mean, excerpt, some_of

_SAMPLE = 2000  # rows that are looked at
_NEARLY_ALL = 0.9


def lacks_header(frame: pl.DataFrame, first: Sequence[str] | None = None) -> bool:
    """Return whether a table's names of columns look like values of these columns.

    A number above numbers, a date above dates, or ``u7`` above ``u1`` and ``u12`` is a value; so are two names that
    occur among the values. A word above numbers or dates is a name: then there is a header. So are 0, 1, 2, ...

    Args:
        frame: A table of texts, as read with its first line as a header.
        first: The cells of this line, where they are not the names of the columns.

    Example:
        >>> lacks_header(pl.DataFrame({"u7": ["u1", "u12"], "4.5": ["3", "5"]}))
        True
        >>> lacks_header(pl.DataFrame({"user": ["u1", "u12"], "stars": ["3", "5"]}))
        False
    """
    if any(kind != pl.String for kind in frame.dtypes):
        return False
    cells = [name.strip() for name in (frame.columns if first is None else first)]
    columns = [
        (cell, column) for cell, column in zip(cells, frame.head(_SAMPLE), strict=True) if cell
    ]
    numbers = [int(cell) if cell.isdecimal() else -1 for cell, _ in columns]
    if numbers in ([*range(len(numbers))], [*range(1, len(numbers) + 1)]):
        return False
    # files that were put together may repeat their header
    again = pl.DataFrame(
        [(column == cell).alias(str(n)) for n, (cell, column) in enumerate(columns)]
    )
    others = ~again.select(pl.all_horizontal(pl.all().fill_null(False))).to_series()
    found = [_looks(cell, column.filter(others)) for cell, column in columns]
    return "name" not in found and ("value" in found or found.count("seen") > 1)


def _looks(name: str, column: pl.Series) -> Literal["name", "value", "seen", "open"]:
    texts = column.drop_nulls().str.strip_chars()
    texts = texts.filter(~is_missing(texts))
    first = pl.Series([name])
    if texts.is_empty() or is_missing(first)[0]:
        return "open"
    seconds, of_name = to_seconds(texts), to_seconds(first)[0]  # numbers, and dates
    if len(seconds.drop_nulls()) > _NEARLY_ALL * len(texts):
        return "value" if of_name is not None else "name"
    shape = re.sub(r"\d+", "9", name)
    if "9" in shape:
        alike = texts.str.replace_all(r"\d+", "9") == shape
        if alike.sum() > _NEARLY_ALL * len(texts):
            return "value"
    return "seen" if (texts == name).any() else "open"


def no_header(
    columns: Sequence[str], source: Source, option: str, otherwise: str = ""
) -> DataError:
    """Return the error for a file without a header.

    Args:
        columns: Its first line.
        source: The file.
        option: The option that names its columns.
        otherwise: What to do where the first line is a header.
    """
    names = numbered_names(len(columns))
    given = (
        f"{option} {','.join(names)}"
        if option.startswith("--")
        else f"set {option} to [{', '.join(names)}]"
    )
    return DataError(
        f"the first line is a row like the others: {some_of(columns)}",
        where=f"{source.where}, line 1",
        rule="the first line names the columns, or an option does",
        remedy=f"name its {len(columns)} columns in their order, for example: {given}{otherwise}",
    )


def check_names(names: Sequence[str], text: str, quotes: bool, source: Source) -> None:
    """Check that there are as many names as the first line of a file without a header has columns.

    Args:
        names: The names that the user gave.
        text: The file's text.
        quotes: Whether its cells may be in quotes.
        source: The file.

    Raises:
        DataError: If there are more or fewer, or the first line is empty.
    """
    rule = "a name for each column of a file without a header, in their order"
    check_start(text, source.where, rule)
    delimiter = source.delimiter or ","
    first = cells_of(text.partition("\n")[0], delimiter, quotes=quotes)
    if len(first) != len(names):
        raise DataError(
            f"{len(names)} names for {len(first)} columns, {excerpt(delimiter.join(first))}",
            where=f"{source.where}, line 1",
            rule=rule,
            remedy=(
                f"give {len(first)} names in {option}, or "
                if (option := source.options.names)
                else ""
            )
            + f"name a file with {len(names)} columns",
        )


def rename_columns(
    frame: pl.DataFrame,
    mapping: Mapping[str, str],
    required: Iterable[str],
    *,
    option: str,
    where: str,
) -> pl.DataFrame:
    """Give a file's columns their canonical names.

    Where a column is mapped to a canonical name that the file also has as a column, the latter is dropped.

    Args:
        frame: The table as read.
        mapping: Canonical name -> the file's name.
        required: Canonical names that must be there.
        option: The option that holds the mapping, for errors.
        where: The file, for errors.

    Raises:
        DataError: If a mapped or required column is not in the file, or a column of the file is mapped twice.
    """
    names, there = list(mapping.values()), set(frame.columns)
    for canonical, name in mapping.items():
        if name not in there:
            raise _no_column(name, frame.columns, where, option, canonical)
        if names.count(name) > 1:
            raise DataError(
                f"column '{name}' is mapped to {sorted(c for c, n in mapping.items() if n == name)}",
                where=option,
                rule="a column of the file has one meaning",
                remedy="keep one of these entries",
            )
    replaced = [c for c in mapping if c in there and c not in names]
    frame = frame.drop(replaced).rename({name: c for c, name in mapping.items()})
    there = set(frame.columns)
    for canonical in required:
        if canonical not in there:
            raise _no_column(canonical, frame.columns, where, option, canonical)
    return frame


def _no_column(name: str, columns: list[str], where: str, option: str, canonical: str) -> DataError:
    near = did_you_mean(name, columns)
    way = f"set {option}.{canonical} to the right column" + (f" ({near})" if near else "")
    if not canonical.isidentifier():  # a name that no option can have
        way = f"leave {excerpt(canonical)} out of {option}"
    if canonical in columns and name != canonical and not near:
        way = f"leave {canonical} out of {option}, or write the entry the other way round: {name}: {canonical}"
    return DataError(
        f"there is no column {excerpt(name)}; the file has {some_of(columns)}",
        where=where,
        rule="names are those of the file's header",
        remedy=way,
    )
