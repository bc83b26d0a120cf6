"""Readers of the Amazon archives: reviews and metadata, a JSON object a line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import polars as pl

from lit_rec.data.readers.amazon_items import (
    KEYS_2018,
    KEYS_2023,
    ItemChoice,
    read_items,
)
from lit_rec.data.readers.reader import Reader
from lit_rec.data.tables.checks import typed_behaviors
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.html_text import plain_text
from lit_rec.data.tables.json.records import BrokenLines, read_json_records
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.data.tables.times import TimeRules
from lit_rec.errors import option_of


class _AmazonReader(Reader):
    """The common part of all years' archives: two files, and keys that differ only in their names."""

    _review_keys: ClassVar[Mapping[str, str]]
    _item_keys: ClassVar[Mapping[str, str]]
    _times: ClassVar[TimeRules]
    _others: ClassVar[Mapping[str, str]]  # keys of other years, and their readers

    def __init__(
        self,
        reviews: str,
        metadata: str,
        items: ItemChoice = "reviewed",
        broken_lines: BrokenLines = "error",
    ) -> None:
        self.reviews, self.metadata = reviews, metadata
        self.items, self.broken_lines = items, broken_lines

    def sources(self) -> list[Source]:
        """Return the reviews and the metadata."""
        return [
            Source(Path(path), f"{option_of(self, option)}={path}")
            for option, path in (("reviews", self.reviews), ("metadata", self.metadata))
        ]

    def read(self) -> Tables:
        """Return the tables."""
        reviews, metadata = self.sources()
        behaviors, reviews, dropped = self._behaviors(reviews)
        items, left_out = read_items(
            metadata,
            self._item_keys,
            reviewed=behaviors["item_id"].unique(maintain_order=True),
            items=self.items,
            broken_lines=self.broken_lines,
            option=option_of(self, "broken_lines"),
            others=self._others,
        )
        sources = ((reviews, len(behaviors)),)
        return Tables(behaviors, items, sources=sources, dropped=(*dropped, *left_out))

    def _behaviors(self, source: Source) -> tuple[pl.DataFrame, Source, tuple[CleaningStep, ...]]:
        schema = dict.fromkeys(self._review_keys.values(), pl.String)
        keys = self._review_keys
        frame, source, notes = read_json_records(
            source,
            schema,
            broken_lines=self.broken_lines,
            ids=[keys[name] for name in ("user_id", "item_id", "variant") if name in keys],
            numbers=[keys["rating"], keys["timestamp"]],
            option=option_of(self, "broken_lines"),
            others=self._others,
        )
        frame = frame.rename({key: column for column, key in self._review_keys.items()})
        # ratings without times, or the other way round: nothing may need the absent ones
        absent = [n for n in ("rating", "timestamp") if frame[n].null_count() == len(frame)]
        frame = frame.drop(absent)
        if "variant" in frame.columns:
            frame = frame.with_columns(pl.coalesce("item_id", "variant")).drop("variant")
        frame = typed_behaviors(frame, source, times=self._times).drop("row")
        frame, source, repeated = without_repeated(frame, source)
        frame = frame.with_columns(
            *(plain_text(frame[name]) for name in ("text", "summary")),
            row=pl.int_range(pl.len(), dtype=pl.Int64),
        )
        return frame, source, (*notes, repeated)


def without_repeated(
    frame: pl.DataFrame, source: Source
) -> tuple[pl.DataFrame, Source, CleaningStep]:
    """Return the rows without repeated ones, their source, and the step of cleaning.

    The archives hold some reviews twice.
    """
    keep = frame.select(pl.struct(pl.all()).is_first_distinct()).to_series()
    lost = (~keep).arg_true()
    example = ""
    if len(lost):
        user, item = frame.select("user_id", "item_id").row(lost[0])
        example = f"{source.path.name}, {source.places([lost[0]])[0]} (user {user}, item {item})"
    step = CleaningStep("the same review again", len(lost), len(keep), example, "reviews")
    return frame.filter(keep), source.of_rows(keep), step


class Amazon2018Reader(_AmazonReader):
    """Amazon reviews of 2018: ``CATEGORY.json.gz`` or ``CATEGORY_5.json.gz``, and ``meta_CATEGORY.json.gz``.

    Behaviors have rating, timestamp, text (the review) and summary; items have title, description, features and
    categories (lists), brand, price and also_buy (a list of ids). HTML entities are replaced and tags removed. A
    review that equals an earlier one in all of these is left out, and counted.

    also_buy was collected from purchases up to the end of the archive: as an input, it can reveal test targets.

    Args:
        reviews: The reviews.
        metadata: The metadata.
        items: ``reviewed``: the catalogue has the items that reviews name; ``all``: the whole category.
        broken_lines: ``drop``: lines that are not JSON are left out, and counted.

    Reference:
        Ni, Li, McAuley 2019, Justifying recommendations using distantly-labeled reviews and fine-grained aspects,
        https://doi.org/10.18653/v1/D19-1018.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> review = {"reviewerID": "A1", "asin": "B7", "overall": 5.0, "unixReviewTime": 1514764800}
        >>> review["reviewText"] = "Sturdy &amp; light"
        >>> with TemporaryDirectory() as folder:
        ...     pl.DataFrame([review]).write_ndjson(f"{folder}/reviews.json")
        ...     pl.DataFrame([{"asin": "B7", "title": "A tripod"}]).write_ndjson(f"{folder}/meta.json")
        ...     tables = Amazon2018Reader(f"{folder}/reviews.json", f"{folder}/meta.json").read()
        >>> tables.behaviors.select("item_id", "rating", "text").rows()
        [('B7', 5.0, 'Sturdy & light')]
    """

    _review_keys: ClassVar[Mapping[str, str]] = {
        "user_id": "reviewerID",
        "item_id": "asin",
        "rating": "overall",
        "timestamp": "unixReviewTime",
        "text": "reviewText",
        "summary": "summary",
    }
    _item_keys: ClassVar[Mapping[str, str]] = KEYS_2018
    _times: ClassVar[TimeRules] = TimeRules()
    _others: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("parent_asin", "user_id"), "Amazon2023Reader"
    )


class Amazon2023Reader(_AmazonReader):
    """Amazon reviews of 2023: ``CATEGORY.jsonl.gz`` and ``meta_CATEGORY.jsonl.gz``.

    An item is a ``parent_asin``, or an ``asin`` where a review has no parent: variants in colour or size are one item.
    Behaviors have rating, timestamp (seconds, from milliseconds), text (the review) and summary (its title); items have
    title, description, features and categories (lists), store and price. HTML entities are replaced and tags removed. A
    review that equals an earlier one in all of these is left out, and counted. The metadata's mean rating and number of
    ratings are never read: they contain test targets.

    Args:
        reviews: The reviews.
        metadata: The metadata.
        items: ``reviewed``: the catalogue has the items that reviews name; ``all``: the whole category.
        broken_lines: ``drop``: lines that are not JSON are left out, and counted.

    Reference:
        Hou et al. 2024, Bridging language and items for retrieval and recommendation, https://arxiv.org/abs/2403.03952.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> review = {"user_id": "A1", "asin": "B7", "parent_asin": "B0", "rating": 5.0}
        >>> review |= {"timestamp": 1514764800500, "text": "", "title": "Fine"}
        >>> with TemporaryDirectory() as folder:
        ...     pl.DataFrame([review]).write_ndjson(f"{folder}/reviews.jsonl")
        ...     pl.DataFrame([{"parent_asin": "B0", "title": "A tripod"}]).write_ndjson(f"{folder}/meta.jsonl")
        ...     tables = Amazon2023Reader(f"{folder}/reviews.jsonl", f"{folder}/meta.jsonl").read()
        >>> tables.behaviors.select("item_id", "timestamp", "summary").rows()
        [('B0', 1514764800.5, 'Fine')]
    """

    _review_keys: ClassVar[Mapping[str, str]] = {
        "user_id": "user_id",
        "item_id": "parent_asin",
        "variant": "asin",
        "rating": "rating",
        "timestamp": "timestamp",
        "text": "text",
        "summary": "title",
    }
    _item_keys: ClassVar[Mapping[str, str]] = KEYS_2023
    _times: ClassVar[TimeRules] = TimeRules("ms")
    _others: ClassVar[Mapping[str, str]] = dict.fromkeys(("reviewerID", "asin"), "Amazon2018Reader")
