"""RecBoleReader, and the atomic files of RecBole: tab-separated, with a type for each column in the header."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl

from lit_rec.data.readers.reader import Reader, file_in
from lit_rec.data.tables.checks import typed_behaviors, typed_entities
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables, read_source
from lit_rec.errors import DataError, excerpt, option_of, some_of

_KINDS = ("token", "token_seq", "float", "float_seq")


def atomic_source(reader: object, folder: str, name: str | None, ending: str) -> Source:
    """Return the file ``NAME.ENDING`` of a folder; the folder's name is the default of NAME."""
    path = file_in(folder, f"{name or Path(folder).resolve().name}.{ending}")
    where = f"{option_of(reader, 'folder')}={folder}, {path.name}"
    return Source(path, where, "\t", quotes=False)


def check_name(reader: object, source: Source, ending: str) -> None:
    """Check the name of a data set: the file that each data set needs exists under this name.

    Args:
        reader: The reader, for errors.
        source: The file.
        ending: Its ending.

    Raises:
        DataError: If it does not, but other files with this ending do.
    """
    others = sorted(
        p.name.removesuffix(f".{ending}") for p in source.path.parent.glob(f"*.{ending}")
    )
    if others and not source.path.is_file():
        parts = {name.rpartition(".")[2] for name in others} <= {"train", "valid", "test"}
        raise DataError(
            f"there is no file '{source.path.name}'",
            where=source.where,
            rule="files have the data set's name, which is the folder's name by default",
            remedy="read sequences with RecBoleSequenceReader"
            if parts
            else f"set {option_of(reader, 'name')} to {' or '.join(others[:3])}",
        )


def atomic_table(source: Source, required: tuple[str, ...]) -> pl.DataFrame:
    """Return a table whose columns have their names without the type.

    Args:
        source: The file.
        required: Columns that must be there.

    Raises:
        DataError: If the file cannot be read, or its header is not that of an atomic file.
    """
    frame = read_source(source)
    # a column of another type may be one that nobody reads
    typed = [c for c in frame.columns if c.partition(":")[2] in _KINDS]
    wrong = [] if typed else frame.columns
    names = [c.partition(":")[0] for c in frame.columns]
    missing = [name for name in required if name not in names]
    if wrong or missing:
        raise DataError(
            f"the header holds {excerpt(wrong[0])}"
            if wrong
            else f"there is no column '{missing[0]}'; the file has {some_of(names)}",
            where=f"{source.where}, line 1",
            rule=f"columns are named name:type, with a type of {', '.join(_KINDS)}, "
            f"{' and '.join(required)} among them",
            remedy="correct the header, or read other tables with TableReader and a delimiter",
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"the column {excerpt(min(repeated))} is twice in the header",
            where=f"{source.where}, line 1",
            rule="every column has a name of its own",
            remedy="rename one of them",
        )
    return frame.rename(dict(zip(frame.columns, names, strict=True)))


class RecBoleReader(Reader):
    r"""A folder with ``NAME.inter``, ``NAME.item`` and, if there is one, ``NAME.user``.

    The files are tab-separated, with headers ``name:type``. Columns keep their names without the type.

    Args:
        folder: The folder.
        name: Name of the data set; the folder's own by default.

    Reference:
        Zhao et al. 2021, RecBole, https://arxiv.org/abs/2011.01731.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "toy.inter").write_text("user_id:token\titem_id:token\trating:float\n7\t3\t4")
        ...     _ = Path(folder, "toy.item").write_text("item_id:token\ttitle:token_seq\n3\tHeat")
        ...     RecBoleReader(folder, "toy").read().behaviors.rows(named=True)
        [{'user_id': '7', 'item_id': '3', 'rating': 4.0, 'row': 0}]
    """

    def __init__(self, folder: str, name: str | None = None) -> None:
        self.folder, self.name = folder, name

    def _source(self, ending: str) -> Source:
        return atomic_source(self, self.folder, self.name, ending)

    def sources(self) -> list[Source]:
        """Return NAME.inter, NAME.item and, if there is one, NAME.user."""
        sources = [self._source("inter"), self._source("item")]
        users = self._source("user")
        return [*sources, users] if users.path.is_file() else sources

    def read(self) -> Tables:
        """Return the tables."""
        inter, item, *others = self.sources()
        check_name(self, inter, "inter")
        behaviors = typed_behaviors(atomic_table(inter, ("user_id", "item_id")), inter)
        items = typed_entities(atomic_table(item, ("item_id",)), "item_id", item)
        users = None
        for user in others:
            users = typed_entities(atomic_table(user, ("user_id",)), "user_id", user)
        return Tables(behaviors, items, users, sources=((inter, len(behaviors)),))

    def files(self) -> list[Path]:
        """Return every file that the tables come from; all of them exist.

        Raises:
            DataError: If one is absent.
        """
        check_name(self, self._source("inter"), "inter")
        return super().files()
