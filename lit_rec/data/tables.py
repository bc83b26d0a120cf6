"""Tables: behaviors, items and users as Polars frames, and reading one from a file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lit_rec.data.cleaning_step import CleaningStep
from lit_rec.data.delimited import parse_delimited
from lit_rec.data.json_lines import parse_json_lines
from lit_rec.data.sources import JSON_LINES, Source
from lit_rec.errors import DataError, did_you_mean


@dataclass(frozen=True)
class Tables:
    """What a reader brings, under canonical column names.

    Args:
        behaviors: user_id, item_id (String); optional rating (Float64), event, label (String), timestamp (Float64 seconds),
            history (List[String]) or history_index (UInt32), split; ``row`` (Int64), the place in the input's order.
        items: item_id (String) and any other columns.
        users: user_id (String) and any other columns, or None.
        ordered: Whether the data declares its rows to be in time order.
        sources: Files of the behaviors and how many rows each brought, in the order of ``row``, for errors.
        histories: ``history`` (List[String], oldest first): lists that many behaviors share, each of them once. A behavior's
            history_index is a row here, null where it has no history.
        dropped: What the reader left out, and why.

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

    Columns of text files are strings; what they mean is decided by who knows the columns. A byte-order mark is accepted.

    Args:
        path: The file.
        option: How the user gave it, for errors.
        delimiter: What separates columns; by the ending where it is None.

    Raises:
        DataError: If the file is absent, damaged, not UTF-8, of an unknown kind, or has no rows.
    """
    return read_source(Source.table(path, option, delimiter))


def read_source(source: Source) -> pl.DataFrame:
    """Read the table of a source; see ``read_table``.

    Raises:
        DataError: As ``read_table`` does.
    """
    source.check()
    if source.ending == ".parquet":
        frame = _parquet(source.content(), source.where)
    elif source.ending in JSON_LINES:
        frame = parse_json_lines(source.text(), source.where)
    elif source.delimiter is not None:
        frame = parse_delimited(source.text(), source.delimiter, source.where, quotes=source.quotes)
    else:
        raise DataError(
            f"the ending '{source.path.suffix}' says nothing of what is inside",
            where=source.where,
            rule="csv, tsv, parquet, jsonl or ndjson, each also with .gz",
            remedy="rename the file, or set data.reader.init_args.delimiter for a text file",
        )
    if frame.is_empty():
        columns = f", only the columns {', '.join(frame.columns[:12])}" if frame.columns else ""
        raise DataError(
            f"the table has no rows{columns}",
            where=source.where,
            rule="at least one row",
            remedy="check how the file was made",
        )
    return frame


def _parquet(content: bytes, where: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"the {len(content):,} bytes are not Parquet, or are cut ({str(error).splitlines()[0][:80]})",
            where=where,
            rule="a whole Parquet file",
            remedy="write it again, or give it the ending of what it is",
        ) from error


def rename_columns(
    frame: pl.DataFrame,
    mapping: Mapping[str, str],
    required: Iterable[str],
    *,
    option: str,
    where: str,
) -> pl.DataFrame:
    """Give a file's columns their canonical names.

    A column of the file that has the canonical name already, while another column is mapped to it, is left out.

    Args:
        frame: The table as read.
        mapping: Canonical name -> the file's name.
        required: Canonical names that must be there.
        option: The option that holds the mapping, for errors.
        where: The file, for errors.

    Raises:
        DataError: If a mapped or required column is not in the file, or a column of the file is mapped twice.
    """
    names = list(mapping.values())
    for canonical, name in mapping.items():
        if name not in frame.columns:
            raise _no_column(name, frame.columns, where, f"{option}.{canonical}")
        if names.count(name) > 1:
            raise DataError(
                f"column '{name}' is mapped to {sorted(c for c, n in mapping.items() if n == name)}",
                where=option,
                rule="a column of the file has one meaning",
                remedy="leave one of them",
            )
    replaced = [c for c in mapping if c in frame.columns and c not in names]
    frame = frame.drop(replaced).rename({name: c for c, name in mapping.items()})
    for canonical in required:
        if canonical not in frame.columns:
            raise _no_column(canonical, frame.columns, where, f"{option}.{canonical}")
    return frame


def _no_column(name: str, columns: list[str], where: str, option: str) -> DataError:
    near = did_you_mean(name, columns)
    shown = ", ".join(columns[:12]) + ", ..." * (len(columns) > 12)
    return DataError(
        f"there is no column '{name}'; the file has {shown}",
        where=where,
        rule="names are those of the file's header",
        remedy=f"set {option} to the right column" + (f" ({near})" if near else ""),
    )
