"""Reader: from files to tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from lit_rec.data.tables import Tables, check_file


class Reader(ABC):
    """Knows the files of a format and the columns they hold."""

    @abstractmethod
    def read(self) -> Tables:
        """Return checked tables under canonical column names.

        Raises:
            DataError: If a file is absent or holds what cannot be trusted.
        """

    @abstractmethod
    def sources(self) -> dict[str, Path]:
        """Return the option and path of every file that the tables come from."""

    def files(self) -> list[Path]:
        """Return every file that the tables come from; all of them exist.

        Raises:
            DataError: If one is absent.
        """
        sources = self.sources()
        for option, path in sources.items():
            check_file(path, option=option)
        return list(sources.values())
