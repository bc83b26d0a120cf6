"""Source: one file of a table, read as a whole, and the words that errors use for it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from lit_rec.data.delimited import record_lines
from lit_rec.errors import DataError

JSON_LINES = (".jsonl", ".ndjson")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Source:
    """A file, how it was given, and how its rows stand in it.

    Args:
        path: The file.
        where: The file as the user wrote it, for errors, such as ``data.reader.init_args.items=items.csv``.
        delimiter: What separates the columns of a text file.
        quotes: Whether a cell may stand in quotes, and then hold delimiters and line ends.
        has_header: Whether the first line of a text file names the columns.

    Example:
        >>> Source(Path("u.data"), "u.data", "|", quotes=False, has_header=False).places([0, 4])
        ['line 1', 'line 5']
    """

    path: Path
    where: str
    delimiter: str | None = None
    quotes: bool = True
    has_header: bool = True

    @classmethod
    def table(cls, path: Path, option: str, delimiter: str | None = None) -> Source:
        """Describe a table file by its ending.

        Tab-separated files quote nothing as a rule, and titles hold lone quotes: there a quote is a character like any other.
        """
        delimiter = delimiter or _DELIMITERS.get(_ending(path))
        return cls(path, f"{option}={path}", delimiter, quotes=delimiter != "\t")

    @property
    def ending(self) -> str:
        """Ending in small letters, without ``.gz``."""
        return _ending(self.path)

    def check(self) -> None:
        """Raise a DataError that names near misses if there is no such file."""
        if self.path.is_file():
            return
        folder = self.path.parent
        if self.path.is_dir():
            problem, near = "this is a folder, not a file", []
        elif folder.is_dir():
            problem = f"there is no file '{self.path.name}' in '{folder}' (seen from {Path.cwd()})"
            near = get_close_matches(self.path.name, [p.name for p in folder.iterdir()], cutoff=0.5)
        else:
            problem = f"there is no folder '{folder}' (seen from {Path.cwd()})"
            above = folder.parent
            names = [p.name for p in above.iterdir() if p.is_dir()] if above.is_dir() else []
            near = get_close_matches(folder.name, names, cutoff=0.5)
        raise DataError(
            problem,
            where=self.where,
            rule="an existing file",
            remedy=f"check the path; near it there is {', '.join(near)}"
            if near
            else "check the path",
        )

    def content(self) -> bytes:
        """Return the file's bytes, unpacked.

        Raises:
            DataError: If the file is absent, cut, or may not be read.
        """
        self.check()
        packed = self.path.suffix.lower() == ".gz"
        try:
            content = self.path.read_bytes()
            return gzip.decompress(content) if packed else content
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise DataError(
                f"the file of {self.path.stat().st_size:,} bytes cannot be read whole ({error})",
                where=self.where,
                rule="a complete file that this user can read"
                + (", packed by gzip" if packed else ""),
                remedy="copy or download it again",
            ) from error

    def text(self, encoding: str = "utf-8-sig") -> str:
        """Return the file's text; a byte-order mark is taken off, lone carriage returns are line ends.

        Raises:
            DataError: If the file cannot be read, or is not of that encoding: with line and byte.
        """
        content = self.content()
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            # the error's own bytes: those after a byte-order mark
            line = error.object[: error.start].count(b"\n") + 1
            origin = "utf-16" if content.startswith(_UTF_16) else "latin1"
            raise DataError(
                f"byte 0x{error.object[error.start]:02x} is not UTF-8",
                where=f"{self.where}, line {line}",
                rule="text files are UTF-8",
                remedy=f"convert it to UTF-8, for example: iconv -f {origin} -t utf-8 FILE > NEW",
            ) from error
        return text if "\n" in text else text.replace("\r", "\n")

    def places(self, rows: Sequence[int]) -> list[str]:
        """Return where rows of the table stand in the file: its lines, or its rows where it has no lines.

        Args:
            rows: Rows of the table, counted from 0.
        """
        if self.ending == ".parquet":
            return [f"row {row + 1}" for row in rows]
        if self.ending in JSON_LINES:
            lines = self.text().split("\n")
            starts = [number for number, line in enumerate(lines, 1) if line.strip()]
        elif self.quotes and self.delimiter is not None and self.path.is_file():
            starts = record_lines(self.text(), self.delimiter)[int(self.has_header) :]
        else:
            return [f"line {row + 1 + self.has_header}" for row in rows]
        return [f"line {starts[row]}" for row in rows]


def _ending(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
