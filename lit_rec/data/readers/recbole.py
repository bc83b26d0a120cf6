"""RecBoleReader: atomic files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from lit_rec.data.readers.reader import Reader
from lit_rec.data.sources import Source
from lit_rec.data.tables import Tables, read_source
from lit_rec.data.validation import typed_behaviors, typed_entities
from lit_rec.errors import DataError

_OPTION = "data.reader.init_args"
_KINDS = ("token", "token_seq", "float", "float_seq")


class RecBoleReader(Reader):
    """A folder with ``NAME.inter``, ``NAME.item`` and, if there is one, ``NAME.user``: tab-separated, headers ``name:type``.

    Columns keep their names without the type.

    Args:
        folder: The folder.
        name: Name of the data set; the folder's own by default.

    Reference:
        Zhao et al. 2021, RecBole, https://arxiv.org/abs/2011.01731.
    """

    def __init__(self, folder: str, name: str | None = None) -> None:
        self.folder, self.name = folder, name

    def _source(self, ending: str) -> Source:
        path = Path(self.folder, f"{self.name or Path(self.folder).resolve().name}.{ending}")
        where = f"{_OPTION}.folder={self.folder}, {path.name}"
        return Source(path, where, "\t", quotes=False)

    def sources(self) -> list[Source]:
        """Return NAME.inter, NAME.item and, if there is one, NAME.user."""
        sources = [self._source("inter"), self._source("item")]
        users = self._source("user")
        return [*sources, users] if users.path.is_file() else sources

    def read(self) -> Tables:
        """Return the tables."""
        inter, item, *user = self.sources()
        self._check_name(inter)
        behaviors = typed_behaviors(_table(inter, ("user_id", "item_id")), inter)
        items = typed_entities(_table(item, ("item_id",)), "item_id", item)
        users = typed_entities(_table(user[0], ("user_id",)), "user_id", user[0]) if user else None
        return Tables(behaviors, items, users, sources=((inter, len(behaviors)),))

    def files(self) -> list[Path]:
        """Return every file that the tables come from; all of them exist.

        Raises:
            DataError: If one is absent.
        """
        self._check_name(self._source("inter"))
        return super().files()

    def _check_name(self, inter: Source) -> None:
        others = sorted(path.stem for path in Path(self.folder).glob("*.inter"))
        if others and not inter.path.is_file():
            raise DataError(
                f"there is no file '{inter.path.name}'",
                where=inter.where,
                rule="the files are named as the data set, which is the folder's name by default",
                remedy=f"set {_OPTION}.name to {' or '.join(others[:3])}",
            )


def _table(source: Source, required: tuple[str, ...]) -> pl.DataFrame:
    frame = read_source(source)
    wrong = [c for c in frame.columns if c.partition(":")[2] not in _KINDS]
    names = [c.partition(":")[0] for c in frame.columns]
    missing = [name for name in required if name not in names]
    if wrong or missing:
        raise DataError(
            f"the header holds '{wrong[0]}'"
            if wrong
            else f"there is no column '{missing[0]}'; the file has {', '.join(names)}",
            where=f"{source.where}, line 1",
            rule=f"columns are named name:type, with a type of {', '.join(_KINDS)}, {' and '.join(required)} among them",
            remedy="mend the header, or read other tables with TableReader",
        )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(
            f"the column '{repeated[0]}' stands twice in the header",
            where=f"{source.where}, line 1",
            rule="every column has a name of its own",
            remedy="rename one of them",
        )
    return frame.rename(dict(zip(frame.columns, names, strict=True)))
