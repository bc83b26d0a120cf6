"""AmazonRatingsReader: ratings without reviews: the benchmark files of 2023, and those of 2018 and 2014."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import polars as pl

from lit_rec.data.readers.amazon import without_repeated
from lit_rec.data.readers.amazon_items import KEYS_2018, KEYS_2023, ItemChoice, read_items
from lit_rec.data.readers.reader import Reader, check_apart
from lit_rec.data.tables.checks import typed_behaviors, wanted_columns
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.json.records import BrokenLines
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables, read_source
from lit_rec.data.tables.times import TimeRules
from lit_rec.errors import ConfigError, option_of

_COLUMNS = {
    "user_id": "user_id",
    "item_id": "parent_asin",
    "rating": "rating",
    "timestamp": "timestamp",
}
Archive = Literal["2023", "2018", "2014"]
# the columns of files without a header
_NAMES = {
    "2018": ("parent_asin", "user_id", "rating", "timestamp"),
    "2014": ("user_id", "parent_asin", "rating", "timestamp"),
}
_PARTS = {"ratings": "train", "validation_ratings": "val", "test_ratings": "test"}


class AmazonRatingsReader(Reader):
    """Amazon ratings of 2023: all of a category, or its 5-core splits.

    The files are ``CATEGORY.csv``, or ``CATEGORY.train.csv``, ``.valid.csv`` and ``.test.csv``.

    Columns ``user_id,parent_asin,rating,timestamp`` and, in the splits with histories, ``history``: ids separated by
    spaces, oldest first. Timestamps become seconds, from milliseconds. Items are those of ``Amazon2023Reader``.

    Ratings of 2018 (``CATEGORY.csv``: item, user, rating, timestamp) and of 2014 (``ratings_CATEGORY.csv``: user, item,
    rating, timestamp) have no header; their items are those of ``Amazon2018Reader``.

    Args:
        ratings: The ratings; where other parts are given, the ratings that train.
        metadata: ``meta_CATEGORY.jsonl.gz``.
        validation_ratings: The ratings that validate.
        test_ratings: The ratings that test.
        histories: Whether a history column is read; leave it out to save memory where the history is a PastHistory.
        items: ``reviewed``: the catalogue has the items that ratings name; ``all``: the whole category.
        broken_lines: ``drop``: lines of the metadata that are not JSON are left out, and counted.
        archive: The archive's year: ``2023``, ``2018`` or ``2014``.

    Raises:
        ConfigError: If one file is given for two parts, or there is no such archive.

    Reference:
        Hou et al. 2024, Bridging language and items for retrieval and recommendation, https://arxiv.org/abs/2403.03952.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     rating = {"user_id": "A1", "parent_asin": "B0", "rating": 5.0, "timestamp": 1514764800500}
        ...     for part in ("train", "test"):
        ...         pl.DataFrame([rating]).write_csv(f"{folder}/{part}.csv")
        ...     pl.DataFrame([{"parent_asin": "B0", "title": "A tripod"}]).write_ndjson(f"{folder}/meta.jsonl")
        ...     train, test, meta = f"{folder}/train.csv", f"{folder}/test.csv", f"{folder}/meta.jsonl"
        ...     reader = AmazonRatingsReader(train, meta, test_ratings=test)
        ...     reader.read().behaviors.select("user_id", "item_id", "timestamp", "split").rows()
        [('A1', 'B0', 1514764800.5, 'train'), ('A1', 'B0', 1514764800.5, 'test')]
    """

    def __init__(
        self,
        ratings: str,
        metadata: str,
        validation_ratings: str | None = None,
        test_ratings: str | None = None,
        histories: bool = True,
        items: ItemChoice = "reviewed",
        broken_lines: BrokenLines = "error",
        archive: Archive = "2023",
    ) -> None:
        self.ratings, self.metadata = ratings, metadata
        self.validation_ratings, self.test_ratings = validation_ratings, test_ratings
        self.histories, self.items, self.broken_lines = histories, items, broken_lines
        self.archive = archive
        if archive not in get_args(Archive):
            raise ConfigError(
                f"'{archive}' is no archive",
                where=option_of(self, "archive"),
                rule=f"one of {', '.join(get_args(Archive))}",
                remedy=f"set {option_of(self, 'archive')} to 2023 where the file has a header, else to 2018, or to "
                "2014 where users stand before items",
            )
        check_apart(self, self._paths())

    def _paths(self) -> dict[str, str]:
        return {name: path for name in _PARTS if (path := getattr(self, name)) is not None}

    def sources(self) -> list[Source]:
        """Return the files of the parts and the metadata."""
        names = _NAMES.get(self.archive, ())
        parts = [
            Source.table(Path(path), option_of(self, name), ",", names)
            for name, path in self._paths().items()
        ]
        return [
            *parts,
            Source(Path(self.metadata), f"{option_of(self, 'metadata')}={self.metadata}"),
        ]

    def read(self) -> Tables:
        """Return the tables."""
        *parts, metadata = self.sources()
        frames: list[pl.DataFrame] = []
        sources: list[tuple[Source, int]] = []
        steps: list[CleaningStep] = []
        for name, part in zip(self._paths(), parts, strict=True):
            frame, source, step = self._part(part)
            if len(parts) > 1:
                frame = frame.with_columns(split=pl.lit(_PARTS[name]))
            frames.append(frame)
            sources.append((source, len(frame)))
            steps.append(step)
        behaviors = pl.concat(frames, how="diagonal")
        behaviors = behaviors.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        named = behaviors["item_id"]
        if "history" in behaviors.columns:
            named = pl.concat([named, behaviors["history"].explode().drop_nulls()])
        items, left_out = read_items(
            metadata,
            KEYS_2023 if self.archive == "2023" else KEYS_2018,
            reviewed=named.unique(maintain_order=True),
            items=self.items,
            broken_lines=self.broken_lines,
            option=option_of(self, "broken_lines"),
            others={},
        )
        return Tables(behaviors, items, sources=tuple(sources), dropped=(*steps, *left_out))

    def _part(self, source: Source) -> tuple[pl.DataFrame, Source, CleaningStep]:
        table = read_source(source)
        wanted = dict(_COLUMNS)
        if self.histories and "history" in table.columns:
            wanted["history"] = "history"
        remedy = (
            f"name a ratings file of the 2023 archive, or set {option_of(self, 'archive')} to 2018 or 2014 "
            "for one without a header"
        )
        table = wanted_columns(table, wanted, source, remedy=remedy)
        table, source, step = without_repeated(table, source)
        times = TimeRules("ms" if self.archive == "2023" else "s")
        return typed_behaviors(table, source, times=times), source, step
