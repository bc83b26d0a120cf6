"""RecBoleReader: atomic files."""

from __future__ import annotations

from pathlib import Path

from lit_rec.data.readers.reader import Reader
from lit_rec.data.tables.atomic_files import atomic_source, atomic_table, check_name
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.data.tables.validation import typed_behaviors, typed_entities


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
        check_name(inter, "inter")
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
        check_name(self._source("inter"), "inter")
        return super().files()
