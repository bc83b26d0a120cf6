"""Reader: reads files into tables; and checks of options that several readers have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.errors import ConfigError, did_you_mean, option_of


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


def check_apart(reader: Reader, paths: Mapping[str, str]) -> None:
    """Check that each part has a file or folder of its own.

    Args:
        reader: The reader.
        paths: Option -> the path that it names; the first one is always given.

    Raises:
        ConfigError: If two options name the same.
    """
    seen: dict[Path, str] = {}
    for name, path in paths.items():
        other = seen.setdefault(Path(path).resolve(), name)
        if other != name:
            option = option_of(reader, name)
            raise ConfigError(
                f"{path} is also {other}",
                where=option,
                rule="training, validation and test rows do not come from the same place",
                remedy=f"name another one, or leave {option} out",
            )


def checked_delimiter(reader: Reader, delimiter: str | None) -> str | None:
    r"""Return a delimiter that is one character; ``\t``, as a shell passes it on, is a tab.

    Raises:
        ConfigError: If it is none.
    """
    if delimiter == "\\t":
        return "\t"
    if delimiter is None or len(delimiter.encode()) == 1:
        return delimiter
    option = option_of(reader, "delimiter")
    sign = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(delimiter.lower())
    remedy = f"set {option} to {sign!r}" if sign else f"leave {option} out"
    if delimiter and not sign:
        remedy = f"replace it in the files by a tab, and set {option} to '\\t'"
    raise ConfigError(
        f"{delimiter!r} is not one character",
        where=option,
        rule="one ASCII character",
        remedy=remedy,
    )


def check_canonical(
    reader: Reader, option: str, columns: Mapping[str, str], canonical: Sequence[str], left_out: str
) -> None:
    """Check the names that an option gives to columns of a file.

    Args:
        reader: The reader.
        option: The option.
        columns: Canonical name -> the file's column.
        canonical: The names that there are.
        left_out: What becomes of a column without an entry.

    Raises:
        ConfigError: If a name is none of them.
    """
    for name, column in columns.items():
        if name in canonical:
            continue
        remedy = did_you_mean(name, canonical, f"leave the entry out: {left_out}")
        if column in canonical:
            remedy = f"write the entry the other way round: {column}: {name}"
        raise ConfigError(
            f"'{name}' is not a canonical name",
            where=option_of(reader, option),
            rule=f"canonical name: the file's column, with a name of {', '.join(canonical)}",
            remedy=remedy,
        )
