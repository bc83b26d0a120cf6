"""MovieLens1MReader: the archives of one and of ten million ratings."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from lit_rec.data.readers.movielens_archive import check_archive, check_filled, films
from lit_rec.data.readers.reader import Reader, file_in
from lit_rec.data.tables.checks import refuse, typed_behaviors, typed_entities
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.errors import DataError, option_of

_ARCHIVE = "ml-1m.zip"
_COLUMNS = {
    "ratings.dat": ("user_id", "item_id", "rating", "timestamp"),
    "movies.dat": ("item_id", "full_title", "genres"),
    "users.dat": ("user_id", "gender", "age", "occupation", "zip"),
}
# the meaning of the codes is from the archive's README
_AGES = {
    "1": "under 18",
    "18": "18-24",
    "25": "25-34",
    "35": "35-44",
    "45": "45-49",
    "50": "50-55",
    "56": "56+",
}
_OCCUPATIONS = (
    "other",
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "customer service",
    "doctor/health care",
    "executive/managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales/marketing",
    "scientist",
    "self-employed",
    "technician/engineer",
    "tradesman/craftsman",
    "unemployed",
    "writer",
)


class MovieLens1MReader(Reader):
    """MovieLens 1M and 10M as GroupLens packs them: ratings.dat and movies.dat, columns separated by ``::``.

    1M has users.dat as well; without it, as in 10M, there is no table of users. Tags are not read. Items have title
    (without the year, "The" moved to the front), year and genres (a list); users have gender, age, occupation (as
    words) and zip. Titles are latin-1; copies that were recoded to UTF-8 are read too.

    Args:
        folder: The unpacked archive.

    Reference:
        Harper & Konstan 2015, The MovieLens datasets, https://doi.org/10.1145/2827872.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "ratings.dat").write_text("1::50::5::978300760")
        ...     _ = Path(folder, "movies.dat").write_text("50::Usual Suspects, The (1995)::Crime|Thriller")
        ...     _ = Path(folder, "users.dat").write_text("1::F::1::10::48067")
        ...     tables = MovieLens1MReader(folder).read()
        >>> tables.items.row(0)
        ('50', 'The Usual Suspects', '1995', ['Crime', 'Thriller'])
        >>> tables.users.row(0)
        ('1', 'F', 'under 18', 'K-12 student', '48067')
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def _source(self, name: str) -> Source:
        where = f"{option_of(self, 'folder')}={self.folder}, {name}"
        return Source(file_in(self.folder, name), where, quotes=False, has_header=False)

    def sources(self) -> list[Source]:
        """Return ratings.dat, movies.dat and, where it is there, users.dat."""
        found = [self._source(name) for name in _COLUMNS]
        return found if found[-1].path.is_file() else found[:-1]

    def files(self) -> list[Path]:
        """Return every file that the tables come from; all of them exist.

        Raises:
            DataError: If the folder or one of its files is absent.
        """
        check_archive(self.folder, option_of(self, "folder"), _ARCHIVE)
        return super().files()

    def read(self) -> Tables:
        """Return the tables."""
        check_archive(self.folder, option_of(self, "folder"), _ARCHIVE)
        ratings, movies, *of_users = self.sources()
        behaviors = typed_behaviors(_table(ratings), ratings)
        items = films(typed_entities(_table(movies), "item_id", movies))
        people = _people(of_users[0]) if of_users else None
        return Tables(behaviors, items, people, sources=((ratings, len(behaviors)),))


def _people(source: Source) -> pl.DataFrame:
    return typed_entities(_table(source), "user_id", source).with_columns(
        pl.col("age").replace(_AGES),
        pl.col("occupation").replace({str(i): name for i, name in enumerate(_OCCUPATIONS)}),
    )


def _table(source: Source) -> pl.DataFrame:
    """Return the columns of a file as texts; an empty cell is null."""
    names = _COLUMNS[source.path.name.removesuffix(".gz")]
    text = _text(source).rstrip("\r\n")
    lines = pl.Series("line", text.split("\n") if text else [], dtype=pl.String)
    lines = lines.str.strip_chars_end("\r")
    refuse(
        lines,
        lines.str.count_matches("::", literal=True) != len(names) - 1,
        source,
        f"is not {len(names)} columns",
        rule=f"{'::'.join(names)} on every line",
        remedy="unpack the archive again",
    )
    cells = lines.str.split_exact("::", len(names) - 1).struct.rename_fields(list(names))
    return check_filled(cells.struct.unnest().with_columns(pl.all().replace("", None)), source)


def _text(source: Source) -> str:
    try:
        return source.text()
    except DataError as error:
        if not isinstance(error.__cause__, UnicodeDecodeError):
            raise
        return source.text("latin-1")
