"""Amazon's archives: reviews, ratings and metadata of 2014, 2018 and 2023."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lit_rec.data.readers.amazon import Amazon2018Reader, Amazon2023Reader
from lit_rec.data.readers.amazon_ratings import AmazonRatingsReader
from lit_rec.data.readers.reader import Reader
from lit_rec.data.tables.source import JSON_LINES, Source
from lit_rec.errors import ConfigError
from lit_rec.init.formats.parts import parts_of
from lit_rec.init.formats.ready_format import ReadyFormat, first_lines, header_of, keys_of
from lit_rec.init.option_words import command

_READERS: dict[str, type[Reader]] = {"2018": Amazon2018Reader, "2023": Amazon2023Reader}
_REVIEW_KEYS = {
    "2018": ("reviewerID", "asin", "overall"),
    "2023": ("user_id", "asin", "parent_asin", "rating"),
}
_RATING_COLUMNS = ("user_id", "parent_asin", "rating", "timestamp")
# a file of metadata has the item's key and one of these
_OF_ITEMS = {"title", "description", "category", "categories", "brand", "store", "imUrl", "price"}
_MAKERS = {"2018": "brand", "2023": "store"}
_USER, _RATING = re.compile(r"A[A-Z0-9]+"), re.compile(r"[1-5](?:\.0)?,\d{9,10}\s*")
_RATINGS = {"train": "ratings", "validation": "validation_ratings", "test": "test_ratings"}


def amazon(paths: Sequence[Path]) -> ReadyFormat | None:
    """Recognise reviews or ratings, together with the metadata.

    Raises:
        ConfigError: If there are reviews alone.
    """
    kinds = {path: _kind(path) for path in paths}
    metadata = [path for path, kind in kinds.items() if kind and kind[0] == "metadata"]
    others = [path for path in paths if path not in metadata]
    found = {kinds[path] for path in others}
    if len(found) != 1 or None in found or len(metadata) > 1:
        return None
    what, year = next(kind for kind in found if kind is not None)
    if not metadata:
        return _without_items(others, what, year)
    if kinds[metadata[0]] != ("metadata", _items_year(year)):
        return None
    if what == "ratings":
        return _ratings(others, metadata[0], year)
    if len(others) > 1:
        return None
    return ReadyFormat(
        name=f"Amazon reviews of {year}",
        why=f"{others[0].name} has the keys {_listed(_REVIEW_KEYS[year])}; "
        f"{metadata[0].name} has items by {_item_key(year)}",
        reader=_READERS[year],
        options={"reviews": str(others[0]), "metadata": str(metadata[0])},
        fields=_fields(year),
        notes=_notes(),
    )


def _ratings(paths: Sequence[Path], metadata: Path, year: str) -> ReadyFormat | None:
    parts = {"train": paths[0]} if len(paths) == 1 else parts_of(paths)
    if parts is None or "train" not in parts:
        return None
    options: dict[str, Any] = {_RATINGS[part]: str(path) for part, path in parts.items()}
    options["metadata"] = str(metadata)
    if year == "2023":
        options["histories"] = False  # the history is that of earlier rows
        seen = f"has the columns {_listed(_RATING_COLUMNS)}"
    else:
        options["archive"] = year
        order = "user, item" if year == "2014" else "item, user"
        seen = f"has no header, and {order}, rating, timestamp in each line"
    return ReadyFormat(
        name=f"Amazon ratings of {year}",
        why=f"{paths[0].name} {seen}; {metadata.name} has items by {_item_key(year)}",
        reader=AmazonRatingsReader,
        options=options,
        fields=_fields(_items_year(year)),
        has_parts=len(parts) > 1,
        notes=_notes(),
    )


def _without_items(paths: Sequence[Path], what: str, year: str) -> ReadyFormat | None:
    if len(paths) > 1 and what != "ratings":
        return None
    metadata = _metadata_of(paths[0], "jsonl.gz" if year == "2023" else "json.gz")
    raise ConfigError(
        f"{paths[0]} has Amazon {what} of {year}, and there is no file with the items",
        where="lit-rec init",
        rule=f"{what} and metadata of the same category, such as {metadata.name}",
        remedy=f"name the metadata too: {command([*paths, metadata])}",
    )


def _metadata_of(path: Path, ending: str) -> Path:
    """Return the metadata beside a file; where there is none, the name that the archive gives it."""
    beside = sorted(other for other in path.parent.glob("meta_*") if _kind(other) is not None)
    # reviews_Books_5.json.gz, ratings_Books.csv, Books.jsonl, Books.train.csv
    category = re.sub(r"^(reviews|ratings)_|_5$", "", path.name.partition(".")[0])
    named = [other for other in beside if category in other.name]
    return next(iter([*named, *beside]), path.with_name(f"meta_{category}.{ending}"))


def _kind(path: Path) -> tuple[str, str] | None:
    """Return what a file holds, and of which year's archive."""
    ending = Source.table(path, "file").ending
    if ending == ".csv":
        if set(_RATING_COLUMNS) <= set(header_of(path, ",")):
            return "ratings", "2023"
        year = _year_of_ratings(path)
        return None if year is None else ("ratings", year)
    keys = keys_of(path) if ending in JSON_LINES else frozenset()
    for year, of_review in _REVIEW_KEYS.items():
        if keys >= set(of_review):
            return "reviews", year
    if keys & {"reviewerID", "user_id"} or not keys & _OF_ITEMS:
        return None
    year = "2023" if "parent_asin" in keys else "2018"
    return ("metadata", year) if _item_key(year) in keys else None


def _year_of_ratings(path: Path) -> str | None:
    """Return the archive of ratings without a header: users' ids begin with A, those of items do not."""
    lines = first_lines(path)
    rows = [line.split(",") for line in lines[:-1] or lines]  # the last one may be cut
    if not rows or not all(len(row) == 4 and _RATING.fullmatch(",".join(row[2:])) for row in rows):
        return None
    for year, user in (("2014", 0), ("2018", 1)):
        if all(_USER.fullmatch(row[user]) and not _USER.fullmatch(row[1 - user]) for row in rows):
            return year
    return None


def _items_year(year: str) -> str:
    return "2018" if year == "2014" else year


def _item_key(year: str) -> str:
    return "parent_asin" if year == "2023" else "asin"


def _fields(year: str) -> dict[str, list[str]]:
    return {"title": ["title", _MAKERS[year]], "categories": ["categories"]}


def _notes() -> tuple[str, ...]:
    return (
        "Not read as text, since they are long: `features`, `description` (data.text.columns).",
        "Not used: `price`; the review's own text, since it is not there when a rating is predicted.",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
