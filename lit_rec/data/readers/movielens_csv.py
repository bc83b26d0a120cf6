"""MovieLensReader: the archives with CSV files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from lit_rec.data.readers.movielens_archive import check_archive, films
from lit_rec.data.readers.reader import Reader, file_in
from lit_rec.data.tables.checks import refuse, typed_behaviors, typed_entities, wanted_columns
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables, read_source
from lit_rec.data.tables.times import to_seconds
from lit_rec.errors import ConfigError, option_of

_ARCHIVE = "ml-latest-small.zip"
_RATINGS = {
    "user_id": "userId",
    "item_id": "movieId",
    "rating": "rating",
    "timestamp": "timestamp",
}
_MOVIES = {"item_id": "movieId", "full_title": "title", "genres": "genres"}
_TAGS = {"item_id": "movieId", "tag": "tag", "timestamp": "timestamp"}


class MovieLensReader(Reader):
    """MovieLens latest, 20M, 25M or 32M as GroupLens packs it: ratings.csv, movies.csv and, if there is one, tags.csv.

    Items have title (without the year, "The" moved to the front), year, genres (a list) and tags (a list): what users
    wrote about the film, in lower case, each once, the most frequent first, then by the alphabet.

    Tags are behavior: many were given after the ratings that test, by the same users. A text with tags can contain what
    a deployed model could not know. Leave tags out, or use only those before the time of the split.

    Args:
        folder: The unpacked archive.
        tags: Whether items have tags.
        tags_before: Only tags given before this time count: seconds since 1970 or ISO text.

    Raises:
        ConfigError: If ``tags_before`` is not a time, or is given without tags.

    Reference:
        Harper & Konstan 2015, The MovieLens datasets, https://doi.org/10.1145/2827872.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     film = {"movieId": ["50"], "title": ["Usual Suspects, The (1995)"], "genres": ["Crime|Thriller"]}
        ...     pl.DataFrame(film).write_csv(f"{folder}/movies.csv")
        ...     rating = {"userId": [1], "movieId": [50], "rating": [4.5], "timestamp": [964982931]}
        ...     pl.DataFrame(rating).write_csv(f"{folder}/ratings.csv")
        ...     MovieLensReader(folder).read().items.rows()
        [('50', 'The Usual Suspects', '1995', ['Crime', 'Thriller'])]
    """

    def __init__(self, folder: str, tags: bool = True, tags_before: str | None = None) -> None:
        self.folder, self.tags, self.tags_before = folder, tags, tags_before
        if tags_before is not None and (not tags or self._until() is None):
            raise ConfigError(
                f"'{tags_before}' is not a time"
                if tags
                else f"'{tags_before}', but tags are left out",
                where=option_of(self, "tags_before"),
                rule="seconds since 1970 or ISO text, and only where tags are read",
                remedy=f"leave it out, or set {option_of(self, 'tags_before')} to a day such as 2015-01-01"
                if tags
                else f"leave it out, or set {option_of(self, 'tags')} to true",
            )

    def _until(self) -> float | None:
        seconds: float | None = to_seconds(pl.Series([str(self.tags_before)]))[0]
        return seconds

    def _source(self, name: str) -> Source:
        where = f"{option_of(self, 'folder')}={self.folder}, {name}"
        return Source(file_in(self.folder, name), where, ",")

    def sources(self) -> list[Source]:
        """Return ratings.csv, movies.csv and, if it is there and wanted, tags.csv."""
        sources = [self._source("ratings.csv"), self._source("movies.csv")]
        tags = self._source("tags.csv")
        wanted = self.tags and (tags.path.is_file() or self.tags_before is not None)
        return [*sources, tags] if wanted else sources

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
        ratings, movies, *tags = self.sources()
        behaviors = typed_behaviors(_table(ratings, _RATINGS), ratings)
        table = typed_entities(_table(movies, _MOVIES), "item_id", movies)
        items = films(table)
        dropped: tuple[CleaningStep, ...] = ()
        if tags:
            of_item, dropped = self._tags(tags[0])
            items = items.join(of_item, on="item_id", how="left", maintain_order="left")
            items = items.with_columns(pl.col("tags").fill_null([]))
        return Tables(behaviors, items, sources=((ratings, len(behaviors)),), dropped=dropped)

    def _tags(self, source: Source) -> tuple[pl.DataFrame, tuple[CleaningStep, ...]]:
        """Return the tags of each item that has any, and what was left out."""
        table = _table(source, _TAGS)
        seconds = to_seconds(table["timestamp"])
        refuse(
            table["timestamp"],
            ~seconds.is_finite().fill_null(False),
            source,
            "is not a time",
            rule="seconds since 1970",
            remedy="unpack the archive again",
        )
        until = float("inf") if self.tags_before is None else self._until()
        tag = table["tag"].str.strip_chars().str.to_lowercase()
        filled, early = (tag != "").fill_null(False), seconds < until
        steps = (
            _step("the tag is empty", filled, table, source),
            _step(f"given at or after {self.tags_before}", early, table, source),
        )
        table = table.with_columns(tag).filter(filled & early)
        counted = table.group_by("item_id", "tag").len()
        counted = counted.sort(["item_id", "len", "tag"], descending=[False, True, False])
        return counted.group_by("item_id", maintain_order=True).agg(tags="tag"), steps


def _table(source: Source, names: dict[str, str]) -> pl.DataFrame:
    remedy = "unpack the archive again, or read other tables with TableReader"
    return wanted_columns(read_source(source), names, source, remedy=remedy)


def _step(rule: str, keep: pl.Series, table: pl.DataFrame, source: Source) -> CleaningStep:
    lost = (~keep).arg_true().to_list()
    example = ""
    if lost:
        place = source.places(lost[:1])[0]
        example = f"{source.path.name}, {place} (item {table['item_id'][lost[0]]})"
    return CleaningStep(rule, len(lost), len(keep), example, "tags")
