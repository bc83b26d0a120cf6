"""A file as blocks of numbered lines."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import polars as pl

from lit_rec.data.tables.source import Source


class Block:
    r"""A piece of a file that ends with a line.

    Args:
        content: The piece, unpacked.
        start: Number of its first line in the file, from 1.

    Example:
        >>> block = Block(b'{"a": 1}\n\n{"a": 2}\n', start=7)
        >>> block.count, list(block.numbered())
        (3, [(7, b'{"a": 1}'), (8, b''), (9, b'{"a": 2}')])
    """

    def __init__(self, content: bytes, start: int) -> None:
        self.content, self.start = content, start
        self.count = content.count(b"\n") + (not content.endswith(b"\n"))

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines, L of them."""
        return self.content.removesuffix(b"\n").split(b"\n")

    @cached_property
    def texts(self) -> pl.Series:
        """The lines as texts ``[L]``; a PolarsError where they are not UTF-8."""
        return pl.Series(self.lines, dtype=pl.Binary).cast(pl.String)

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """Return each line behind its number."""
        return enumerate(self.lines, self.start)


def blocks_of(source: Source) -> Iterator[Block]:
    """Yield a file in blocks; single carriage returns are line ends where there are no line feeds.

    Raises:
        DataError: If the file is absent, cut, or may not be read.
    """
    start = 1
    for content in source.blocks():
        block = Block(content if b"\n" in content else content.replace(b"\r", b"\n"), start)
        yield block
        start += block.count
