"""Source: one file of a table, and how errors name it."""

from __future__ import annotations

import gzip
import re
import shlex
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from glob import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.tables.delimited import DelimitedOptions, record_lines
from lit_rec.data.tables.quotes import as_quoted
from lit_rec.errors import DataError, some_of

JSON_LINES = (".jsonl", ".ndjson", ".json")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_UTF_8_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # how such a file begins
LOST = "\ufffd"  # in place of bytes that are not UTF-8
_GZIP = b"\x1f\x8b"
# first bytes -> what to do with a file that is not text
_KINDS = {
    _GZIP: "it is packed by gzip: add .gz to its name",
    b"PK\x03\x04": "it is packed: unpack it, or save a spreadsheet as CSV in UTF-8",
    b"PAR1": "it is Parquet: give it the ending .parquet",
}
OTHERS = (*_UTF_16, *_KINDS)  # how files begin that are not text with a few damaged bytes
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
        options: What the reader calls its options for text files, for errors.
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
    options: DelimitedOptions = field(default_factory=DelimitedOptions)
    lines: npt.NDArray[np.integer[Any]] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def table(
        cls,
        path: Path,
        option: str,
        delimiter: str | None = None,
        names: Sequence[str] = (),
        options: DelimitedOptions | None = None,
    ) -> Source:
        """Describe a table file by its ending.

        In most tab-separated files a quote is an ordinary character: their content shows whether it is.

        Args:
            path: The file.
            option: How the user gave it, for errors.
            delimiter: What separates columns; by the ending where it is None.
            names: Names of the columns of a text file without a header.
            options: What the reader calls its options for text files, for errors.
        """
        delimiter = delimiter or _DELIMITERS.get(_ending(path))
        quotes = None if delimiter == "\t" else True
        has_header = not names or _ending(path) in (*JSON_LINES, ".parquet")
        where, options = f"{option}={path}", options or DelimitedOptions()
        return cls(path, where, delimiter, quotes, has_header, tuple(names), options)

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
            problem = "this is a folder, not a file"
            there = some_of(_names(self.path))
            remedy = f"name a file of it: {there}" if there else "it is empty: name a file"
        elif folder.is_dir():
            problem = f"there is no file '{self.path.name}' in '{folder}' (seen from {Path.cwd()})"
            remedy = _near(self.path.name, folder)
        else:
            problem = f"there is no folder '{folder}' (seen from {Path.cwd()})"
            above = next(parent for parent in folder.parents if parent.is_dir())
            remedy = _near(folder.relative_to(above).parts[0], above, folders=True)
        raise DataError(problem, where=self.where, rule="an existing file", remedy=remedy)

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
            remedy=self._whole(error),
        )

    def _whole(self, error: Exception) -> str:
        """Return what to do with a file that cannot be read whole."""
        if isinstance(error, PermissionError):
            return f"let this user read it: `chmod u+r {shlex.quote(str(self.path))}`"
        with self.path.open("rb") as file:
            packed = file.read(2) == _GZIP
        if packed or not self._is_packed:
            return "copy or download it again"
        return f"it is not packed by gzip: name it {self.path.with_suffix('').name}, if it is whole"

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

    def decoded(
        self,
        content: bytes,
        line: int = 1,
        *,
        encoding: str = "utf-8-sig",
        whole: bytes | None = None,
    ) -> str:
        """Return the text of the file's bytes, or of a piece of them.

        Args:
            content: The bytes.
            line: Number of their first line, for the error.
            encoding: The file's encoding.
            whole: All bytes of the file, for the error, where ``content`` is not enough to tell their encoding.

        Raises:
            DataError: If they are not in that encoding: with line and byte.
        """
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            # the error's own bytes: those after a byte-order mark
            line += error.object[: error.start].count(b"\n")
            raise DataError(
                f"byte 0x{error.object[error.start]:02x} is not UTF-8",
                where=f"{self.where}, line {line}",
                rule="text files are UTF-8",
                remedy=self._converted(content if whole is None else whole),
            ) from error

    def undecoded(self, line: int) -> DataError:
        """Return the error for the first byte from a line on that is not UTF-8.

        Args:
            line: Number of a line that is not UTF-8 as a whole.
        """
        content = self.content()
        lines = content.split(b"\n") if b"\n" in content else content.split(b"\r")
        try:
            self.decoded(b"\n".join(lines[line - 1 :]), line, whole=content)
        except DataError as error:
            return error
        raise ValueError(line)

    def line_of(self, row: int) -> int:
        """Return the line of a row of a text file."""
        lines = self._lines()
        return row + self._first if lines is None else int(lines[row])

    def _converted(self, content: bytes) -> str:
        """Return what to do with bytes that are not UTF-8."""
        for start, remedy in _KINDS.items():
            if content.startswith(start):
                return remedy
        name = self.path.name.removesuffix(".gz") if self._is_packed else self.path.name
        file, new = (
            shlex.quote(str(path)) for path in (self.path, self.path.with_name(f"utf8_{name}"))
        )
        given = f"gunzip -c {file} | " if self._is_packed else ""
        command = f"{given}iconv {_origin(content)} -t utf-8 {'' if given else f'{file} '}> {new}"
        return f"convert it to UTF-8, for example: `{command}`"

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


def _names(folder: Path, *, folders: bool = False) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if (p.is_dir() if folders else p.is_file()))


def _near(name: str, folder: Path, *, folders: bool = False) -> str:
    """Return what to do where a folder has no file, or no folder, of a name."""
    names = _names(folder, folders=folders)
    near = [str(path) for path in sorted(folder.glob(f"*/{escape(name)}"))[:3]]
    near += get_close_matches(name, names, cutoff=0.5)
    if near:
        return f"check the path; near it there is {', '.join(near)}"
    return f"check the path; '{folder}' has {some_of(names) or 'nothing of this kind'}"


def _origin(content: bytes) -> str:
    """Return options of iconv for the encoding that bytes probably have."""
    if content.startswith(_UTF_16):
        return "-f utf-16"
    text = content.decode(errors="replace")
    lost = text.count("\ufffd")
    if len(text) - len(text.encode("ascii", "ignore")) > 2 * lost:
        return "-c -f utf-8"  # UTF-8 with a few damaged characters, which are left out
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return "-f latin1"
    # the same where there are no signs such as curly quotes
    return "-f cp1252" if re.search(rb"[\x80-\x9f]", content) else "-f latin1"


def _ending(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
