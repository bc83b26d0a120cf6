"""Reader: reads files into tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables


class Reader(ABC):
    """Knows the files of a format and the columns they hold.

    Example:
        >>> import polars as pl
        >>> class OneSale(Reader):
        ...     def read(self) -> Tables:
        ...         behaviors = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "row": [0]})
        ...         return Tables(behaviors, pl.DataFrame({"item_id": ["a"]}))
        ...     def sources(self) -> list[Source]:
        ...         return []  # no files
        >>> OneSale().read().behaviors.rows()
        [('u', 'a', 0)]
    """

    @abstractmethod
    def read(self) -> Tables:
        """Return checked tables under canonical column names.

        Raises:
            DataError: If a file is absent, or its content is wrong.
        """

    @abstractmethod
    def sources(self) -> list[Source]:
        """Return every file that the tables come from, present or not."""

    def files(self) -> list[Path]:
        """Return every file that the tables come from; all of them exist.

        Raises:
            DataError: If one is absent.
        """
        sources = self.sources()
        for source in sources:
            source.check()
        return [source.path for source in sources]


def file_in(folder: str, name: str) -> Path:
    """Return the path of a file of a folder: ``NAME.gz`` where only the packed file is there."""
    plain, packed = Path(folder, name), Path(folder, f"{name}.gz")
    return packed if packed.is_file() and not plain.is_file() else plain
