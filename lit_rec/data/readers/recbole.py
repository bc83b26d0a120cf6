"""RecBoleReader: atomic files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from lit_rec.data.readers.reader import Reader
from lit_rec.data.tables import Tables, read_table
from lit_rec.data.validation import typed_behaviors, typed_entities
from lit_rec.errors import DataError

_OPTION = "data.reader.init_args.folder"
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

    def _path(self, ending: str) -> Path:
        return Path(self.folder) / f"{self.name or Path(self.folder).name}.{ending}"

    def sources(self) -> dict[str, Path]:
        """Return the files by option."""
        paths = {f"{_OPTION} (.{e})": self._path(e) for e in ("inter", "item")}
        if self._path("user").is_file():
            paths[f"{_OPTION} (.user)"] = self._path("user")
        return paths

    def read(self) -> Tables:
        """Return the tables."""
        behaviors = typed_behaviors(
            self._table("inter", ("user_id", "item_id")), where=str(self._path("inter"))
        )
        items = typed_entities(
            self._table("item", ("item_id",)), "item_id", where=str(self._path("item"))
        )
        users = None
        if self._path("user").is_file():
            users = typed_entities(
                self._table("user", ("user_id",)), "user_id", where=str(self._path("user"))
            )
        return Tables(behaviors, items, users)

    def _table(self, ending: str, required: tuple[str, ...]) -> pl.DataFrame:
        path = self._path(ending)
        frame = read_table(path, option=f"{_OPTION} (.{ending})", delimiter="\t")
        wrong = [c for c in frame.columns if c.partition(":")[2] not in _KINDS]
        names = [c.partition(":")[0] for c in frame.columns]
        missing = [name for name in required if name not in names]
        if wrong or missing:
            raise DataError(
                f"the header holds '{wrong[0]}'"
                if wrong
                else f"there is no column '{missing[0]}'; the file has {', '.join(names)}",
                where=f"{path}, line 1",
                rule=f"columns are named name:type, with a type of {', '.join(_KINDS)}, {' and '.join(required)} among them",
                remedy="mend the header, or read other tables with TableReader",
            )
        return frame.rename(dict(zip(frame.columns, names, strict=True)))
