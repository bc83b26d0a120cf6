"""Source: one file of a table, and how errors name it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.tables.delimited import record_lines
from lit_rec.data.tables.quotes import as_quoted
from lit_rec.errors import DataError

JSON_LINES = (".jsonl", ".ndjson", ".json")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_UTF_8_MARK = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how such a file begins
LOST = "\ufffd"  # in place of bytes that are not UTF-8
_BLOCK = 1 << 26  # bytes
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error)


@dataclass(frozen=True)
class Source:
    """A file, how it was given, and how its rows are written in it.

    Args:
        path: The file.
        where: The file as the user wrote it, for errors, such as ``TableReader.items=items.csv``.
        delimiter: What separates the columns of a text file.
        quotes: Whether a cell may be in quotes, and then hold delimiters and line ends; None: as the content shows.
        has_header: Whether the first line of a text file names the columns.
        names: Names of the columns of a text file without a header.
        lines: ``[R]`` int, the line of each row, where a reader used only some of the lines, or made several rows from
            one line.

    Example:
        >>> Source(Path("u.data"), "u.data", "|", quotes=False, has_header=False).places([0, 4])
        ['line 1', 'line 5']
    """

    path: Path
    where: str
    delimiter: str | None = None
    quotes: bool | None = True
    has_header: bool = True
    names: tuple[str, ...] = ()
    lines: npt.NDArray[np.integer[Any]] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def table(
        cls, path: Path, option: str, delimiter: str | None = None, names: Sequence[str] = ()
    ) -> Source:
        """Describe a table file by its ending.

        In most tab-separated files a quote is an ordinary character: their content shows whether it is.

        Args:
            path: The file.
            option: How the user gave it, for errors.
            delimiter: What separates columns; by the ending where it is None.
            names: Names of the columns of a text file without a header.
        """
        delimiter = delimiter or _DELIMITERS.get(_ending(path))
        quotes = None if delimiter == "\t" else True
        has_header = not names or _ending(path) in (*JSON_LINES, ".parquet")
        return cls(path, f"{option}={path}", delimiter, quotes, has_header, tuple(names))

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
        try:
            content = self.path.read_bytes()
            return gzip.decompress(content) if self._is_packed else content
        except _UNREADABLE as error:
            raise self._unreadable(error) from error

    def blocks(self, size: int = _BLOCK) -> Iterator[bytes]:
        """Yield the file's bytes, unpacked, in pieces of whole lines: for files larger than the memory.

        Args:
            size: Bytes of a piece; a longer line is one piece.

        Raises:
            DataError: If the file is absent, cut, or may not be read.
        """
        self.check()
        rest = b""
        try:
            with gzip.open(self.path) if self._is_packed else self.path.open("rb") as file:
                rest = file.read(len(_UTF_8_MARK)).removeprefix(_UTF_8_MARK)
                while piece := file.read(size):
                    whole, end, left = piece.rpartition(b"\n")
                    if end:
                        yield rest + whole + end
                        rest = left
                    else:
                        rest += piece
        except _UNREADABLE as error:
            raise self._unreadable(error) from error
        if rest:
            yield rest

    @property
    def _is_packed(self) -> bool:
        return self.path.suffix.lower() == ".gz"

    def _unreadable(self, error: Exception) -> DataError:
        return DataError(
            f"the file of {self.path.stat().st_size:,} bytes cannot be read whole ({error})",
            where=self.where,
            rule="a complete file that this user can read"
            + (", packed by gzip" if self._is_packed else ""),
            remedy="copy or download it again",
        )

    def text(
        self, encoding: str = "utf-8-sig", *, errors: Literal["strict", "replace"] = "strict"
    ) -> str:
        """Return the file's text without a byte-order mark; single carriage returns are line ends.

        Args:
            encoding: The file's encoding.
            errors: ``replace``: bytes of another encoding become U+FFFD.

        Raises:
            DataError: If the file cannot be read, or is not in that encoding: with line and byte.
        """
        content = self.content()
        replace_all = errors == "replace"
        text = (
            content.decode(encoding, errors)
            if replace_all
            else self.decoded(content, encoding=encoding)
        )
        return text if "\n" in text else text.replace("\r", "\n")

    def decoded(self, content: bytes, line: int = 1, *, encoding: str = "utf-8-sig") -> str:
        """Return the text of the file's bytes, or of a piece of them.

        Args:
            content: The bytes.
            line: Number of their first line, for the error.
            encoding: The file's encoding.

        Raises:
            DataError: If they are not in that encoding: with line and byte.
        """
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            # the error's own bytes: those after a byte-order mark
            line += error.object[: error.start].count(b"\n")
            origin = "utf-16" if content.startswith(UTF_16) else "latin1"
            raise DataError(
                f"byte 0x{error.object[error.start]:02x} is not UTF-8",
                where=f"{self.where}, line {line}",
                rule="text files are UTF-8",
                remedy=f"convert it to UTF-8, for example: iconv -f {origin} -t utf-8 FILE > NEW",
            ) from error

    def undecoded(self, line: int) -> DataError:
        """Return the error for the first byte from a line on that is not UTF-8.

        Args:
            line: Number of a line that is not UTF-8 as a whole.
        """
        content = self.content()
        lines = content.split(b"\n") if b"\n" in content else content.split(b"\r")
        try:
            self.decoded(b"\n".join(lines[line - 1 :]), line)
        except DataError as error:
            return error
        raise ValueError(line)

    def line_of(self, row: int) -> int:
        """Return the line of a row of a text file."""
        lines = self._lines()
        return row + self._first if lines is None else int(lines[row])

    def places(self, rows: Sequence[int]) -> list[str]:
        """Return the places of rows in the file: lines, or rows in a file without lines.

        Args:
            rows: Rows of the table, counted from 0.
        """
        word = "row" if self.ending == ".parquet" else "line"
        lines = self._lines()
        return [f"{word} {row + self._first if lines is None else lines[row]}" for row in rows]

    def of_rows(self, keep: pl.Series) -> Source:
        """Return the source of a part of the table's rows.

        Args:
            keep: ``[R]`` bool.
        """
        rows = keep.arg_true().to_numpy()
        if len(rows) == len(keep):
            return self
        lines = self._lines()
        return replace(self, lines=rows + self._first if lines is None else lines[rows])

    @property
    def _first(self) -> int:
        """The line of the first row."""
        return 1 + int(self.has_header and self.ending != ".parquet")

    def _lines(self) -> npt.NDArray[np.integer[Any]] | None:
        """Return the line of each row, or None where a row is a line."""
        if self.lines is not None or self.ending == ".parquet":
            return self.lines
        if self.ending in JSON_LINES:
            lines = self.text(errors="replace").split("\n")
            return np.array([number for number, line in enumerate(lines, 1) if line.strip()])
        if self.quotes is not False and self.delimiter is not None and self.path.is_file():
            text, quotes = as_quoted(self.text(errors="replace"), self.delimiter, self.quotes)
            if quotes:
                return np.array(record_lines(text, self.delimiter)[int(self.has_header) :])
        return None


def _ending(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
