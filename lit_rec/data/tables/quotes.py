"""Whether a text file puts cells in quotes; in tab-separated files only their content shows it."""

from __future__ import annotations

import csv
import io

import polars as pl

# a whole cell in quotes, in which quotes are doubled
_QUOTED = r'(?s)^"(?:[^"]|"")*"$'
_FEW = 3  # cells: fewer that happen to be in quotes show nothing


def as_quoted(text: str, delimiter: str, quotes: bool | None) -> tuple[str, bool]:
    r"""Return a text in which quotes inside a cell are doubled, and whether its cells are in quotes.

    R's ``write.table`` writes such a quote as ``\"``. Lines and positions do not change.

    Args:
        text: The file's text.
        delimiter: What separates the columns.
        quotes: Whether a cell may be in quotes; None: as the content shows.

    Example:
        >>> as_quoted('"id"\t"name"\n"7"\t"5\\" nail"', "\t", None)
        ('"id"\t"name"\n"7"\t"5"" nail"', True)
        >>> as_quoted('id\tname\n7\t5" nail', "\t", None)
        ('id\tname\n7\t5" nail', False)
    """
    if quotes is False or '"' not in text:
        return text, bool(quotes)
    doubled = text.replace('\\"', '""') if '\\"' in text else text
    if doubled != text and not _is_table(text, delimiter) and _is_table(doubled, delimiter):
        text = doubled
    return text, bool(quotes or _has_quotes(text, delimiter))


def _has_quotes(text: str, delimiter: str) -> bool:
    r"""Return whether cells are in quotes: those of the header are, lines are equally long only so, or cells show it.

    A cell such as ``5" nail`` says that they are not. One such as ``"5"" nail"`` says that they are, and so does a
    column with all of its cells in quotes.
    """
    lines = text.rstrip("\r\n").split("\n")
    header = lines[0].rstrip("\r").split(delimiter)
    if all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in header):
        return True
    # R does not name the column of row names
    counts = {line.count(delimiter) for line in lines[1:]}
    if not counts:
        return False
    if counts - {len(header) - 1} and counts != {len(header)}:
        return _is_table(text, delimiter)
    frame = pl.read_csv(
        text.encode(),
        separator=delimiter,
        infer_schema=False,
        has_header=False,
        skip_rows=1,
        quote_char=None,
        schema=dict.fromkeys(map(str, range(max(counts) + 1)), pl.String),
    )
    shows = odd = whole = False
    for column in frame:
        cells = column.filter(column.str.contains('"', literal=True).fill_null(False))
        if cells.is_empty():
            continue
        quoted = cells.str.contains(_QUOTED)
        inside = cells.filter(quoted).str.slice(1).str.head(-1)
        shows |= bool(inside.str.contains('""', literal=True).any())
        odd |= not quoted.all()
        all_of_them = bool(quoted.all()) and len(cells) == len(column) - column.null_count()
        whole |= all_of_them and cells.n_unique() >= _FEW
    return (shows and not odd) or (whole and _is_table(text, delimiter))


def _is_table(text: str, delimiter: str) -> bool:
    """Return whether all records have equally many cells, read with quotes; R's column of row names has no name."""
    reader = csv.reader(
        io.StringIO(text.rstrip("\r\n"), newline=""), delimiter=delimiter, strict=True
    )
    try:
        header = next(reader, [])
        counts = {len(cells) for cells in reader}
    except csv.Error:
        return False
    return counts in ({len(header)}, {len(header) + 1})
