"""MovieLens100KReader: the original archive, with its folds."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from lit_rec.data.readers.movielens_archive import check_archive, check_filled, title_and_year
from lit_rec.data.readers.reader import Reader, file_in
from lit_rec.data.tables.checks import typed_behaviors, typed_entities
from lit_rec.data.tables.delimited import parse_delimited
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.errors import ConfigError, DataError, option_of

_FOLDS = ("u1", "u2", "u3", "u4", "u5", "ua", "ub")
_GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]
_RATINGS = ["user_id", "item_id", "rating", "timestamp"]
_USERS = ["user_id", "age", "gender", "occupation", "zip"]
_FILMS = ["item_id", "full_title", "released", "video", "imdb", *_GENRES]


class MovieLens100KReader(Reader):
    r"""MovieLens 100K as GroupLens packs it: u.data, u.item, u.user and the folds u1 to u5, ua, ub.

    Items have title (without the year, "The" moved to the front), year, genres and, where ``plots`` is given, plot,
    directors and cast.

    Args:
        folder: The unpacked archive.
        fold: One of u1, u2, u3, u4, u5, ua, ub: its .base trains and its .test tests; null: u.data, without parts.
        plots: A JSON file, a list of objects with movielens_id, plot, directors and cast. Other keys are not read: the
            mean rating of a film would reveal test targets.

    Raises:
        ConfigError: If there is no such fold.

    Reference:
        Harper & Konstan 2015, The MovieLens datasets, https://doi.org/10.1145/2827872.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> crime = "|0" * 6 + "|1" + "|0" * 12
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "u.data").write_text("196\t50\t5\t881250949")
        ...     _ = Path(folder, "u.item").write_text("50|Usual Suspects, The (1995)|14-Aug-1995||" + crime)
        ...     _ = Path(folder, "u.user").write_text("196|49|M|writer|55105")
        ...     MovieLens100KReader(folder).read().items.rows()
        [('50', 'The Usual Suspects', '1995', 'Crime')]
    """

    def __init__(self, folder: str, fold: str | None = None, plots: str | None = None) -> None:
        if fold is not None and fold not in _FOLDS:
            raise ConfigError(
                f"'{fold}' is not a fold",
                where=option_of(self, "fold"),
                rule=f"one of {', '.join(_FOLDS)}, or null for u.data",
                remedy=f"set {option_of(self, 'fold')} to u1, the fold that papers report, or leave it out",
            )
        self.folder, self.fold, self.plots = folder, fold, plots

    def _source(self, name: str, delimiter: str = "\t") -> Source:
        where = f"{option_of(self, 'folder')}={self.folder}, {name}"
        path = file_in(self.folder, name)
        return Source(path, where, delimiter, quotes=False, has_header=False)

    def sources(self) -> list[Source]:
        """Return the ratings, u.item, u.user and the plots."""
        names = [f"{self.fold}.base", f"{self.fold}.test"] if self.fold else ["u.data"]
        found = [self._source(name) for name in (*names, "u.item", "u.user")]
        if self.plots is not None:
            found.append(Source(Path(self.plots), f"{option_of(self, 'plots')}={self.plots}"))
        return found

    def files(self) -> list[Path]:
        """Return every file that the tables come from; all of them exist.

        Raises:
            DataError: If the folder or one of its files is absent.
        """
        check_archive(self.folder, option_of(self, "folder"), "ml-100k.zip")
        return super().files()

    def read(self) -> Tables:
        """Return the tables."""
        check_archive(self.folder, option_of(self, "folder"), "ml-100k.zip")
        parts = {"base": "train", "test": "test"} if self.fold else {"data": None}
        frames: list[pl.DataFrame] = []
        sources: list[tuple[Source, int]] = []
        for ending, part in parts.items():
            source = self._source(f"{self.fold or 'u'}.{ending}")
            frame = typed_behaviors(_columns(source, _RATINGS), source)
            frames.append(frame if part is None else frame.with_columns(split=pl.lit(part)))
            sources.append((source, len(frame)))
        behaviors = pl.concat(frames).with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        users = self._source("u.user", "|")
        return Tables(
            behaviors,
            self._items(),
            typed_entities(_columns(users, _USERS), "user_id", users),
            sources=tuple(sources),
        )

    def _items(self) -> pl.DataFrame:
        source = self._source("u.item", "|")
        films = typed_entities(_columns(source, _FILMS), "item_id", source)
        genres = [pl.when(pl.col(g) == "1").then(pl.lit(g)) for g in _GENRES[1:]]
        titles = [title_and_year(full or "") for full in films["full_title"]]
        items = films.select(
            "item_id",
            pl.Series("title", [title for title, _ in titles], dtype=pl.String),
            pl.Series("year", [year for _, year in titles], dtype=pl.String),
            genres=pl.concat_str(genres, separator=", ", ignore_nulls=True),
        )
        if self.plots is None:
            return items
        plots = _plots(Source(Path(self.plots), f"{option_of(self, 'plots')}={self.plots}"))
        return items.join(plots, on="item_id", how="left", maintain_order="left")


def _columns(source: Source, names: list[str]) -> pl.DataFrame:
    # the archive's titles are latin-1; its other files are ASCII
    frame = parse_delimited(
        source.text("latin-1"), source.delimiter or "\t", source.where, quotes=False, names=names
    )
    return check_filled(frame, source)


def _plots(source: Source) -> pl.DataFrame:
    text = source.text()
    try:
        rows = [
            (str(r["movielens_id"]), *(r.get(c) or None for c in ("plot", "directors", "cast")))
            for r in json.loads(text)
        ]
        schema = dict.fromkeys(("item_id", "plot", "directors", "cast"), pl.String)
        frame = pl.DataFrame(rows, schema=schema, orient="row")
    except (ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"is not a list of films ({type(error).__name__}: {str(error)[:60]})",
            where=source.where,
            rule="a JSON list of objects with movielens_id, plot, directors and cast",
            remedy="correct the file, or leave MovieLens100KReader.plots out",
        ) from error
    repeated = frame.filter(pl.col("item_id").is_duplicated())["item_id"]
    if len(repeated):
        raise DataError(
            f"movielens_id '{repeated[0]}' is there {(repeated == repeated[0]).sum()} times",
            where=source.where,
            rule="each film once",
            remedy="keep one object for each film, or leave MovieLens100KReader.plots out",
        )
    return frame
