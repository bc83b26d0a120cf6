"""Items of the Amazon archives: texts and prices from the metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl

from lit_rec.data.tables.checks import refuse
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.html_text import plain_text, plain_texts
from lit_rec.data.tables.json.records import BrokenLines, read_json_records
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError

ItemChoice = Literal["reviewed", "all"]
# our columns -> the keys of each archive
KEYS_2018 = {
    "item_id": "asin",
    "title": "title",
    "description": "description",
    "features": "feature",
    "categories": "category",
    "brand": "brand",
    "price": "price",
    "also_buy": "also_buy",
}
KEYS_2023 = {
    "item_id": "parent_asin",
    "title": "title",
    "description": "description",
    "features": "features",
    "categories": "categories",
    "store": "store",
    "price": "price",
}
_PRICE = r"^\$?\s*(\d[\d,]*(?:\.\d+)?)$"
# a script, or a tag that does not end
_PAGE_CODE = r"getTime\(|^var |^\s*<[a-zA-Z][^<>]*$"


def read_items(
    source: Source,
    keys: Mapping[str, str],
    *,
    reviewed: pl.Series,
    items: ItemChoice,
    broken_lines: BrokenLines,
    option: str,
    others: Mapping[str, str],
) -> tuple[pl.DataFrame, tuple[CleaningStep, ...]]:
    """Return items with plain texts, and the steps of cleaning.

    A title that holds code of a web page is null. Where an item has several objects, the first counts. A price that is
    a range or a word is null.

    Args:
        source: The metadata.
        keys: Our columns -> the file's keys: item_id and texts; description, features, categories and also_buy are
            lists there.
        reviewed: Ids that reviews name.
        items: Which items are in the catalogue.
        broken_lines: What happens to lines that are not objects.
        option: The option that sets it, for errors.
        others: Keys of other archives, and the class that reads each, for errors.

    Raises:
        DataError: If the file cannot be trusted, or has none of the reviewed items.
    """
    lists = [c for c in ("description", "features", "categories", "also_buy") if c in keys]
    schema = {k: pl.List(pl.String) if c in lists else pl.String for c, k in keys.items()}
    frame, source, notes = read_json_records(
        source,
        schema,
        broken_lines=broken_lines,
        ids=[keys[name] for name in ("item_id", "also_buy") if name in keys],
        numbers=[keys["price"]],
        option=option,
        others=others,
    )
    frame = frame.rename({k: c for c, k in keys.items()})
    steps = list(notes)
    refuse(
        frame["item_id"],
        frame["item_id"].fill_null("").str.strip_chars() == "",
        source,
        "is empty",
        rule=f"every object has the key '{keys['item_id']}'",
        remedy="correct or remove these lines",
    )
    first = frame["item_id"].is_first_distinct()
    frame, source = _kept(frame, source, first, "a further object of the same item", steps)
    if items == "reviewed":
        known = frame["item_id"].is_in(reviewed.implode())
        if not known.any() and len(reviewed):
            raise DataError(
                f"none of the {len(frame):,} items has a review; "
                f"the first is '{frame['item_id'][0]}', the first review is of '{reviewed[0]}'",
                where=source.where,
                rule="metadata and reviews of the same category and the same year's archive",
                remedy="name the metadata of the reviews' category",
            )
        frame, source = _kept(frame, source, known, "no review names the item", steps)
    code = frame["title"].str.contains(_PAGE_CODE).fill_null(False)
    steps.append(_step("code of a page in place of a title", ~code, frame, source, "titles"))
    frame = frame.with_columns(
        plain_text(frame["title"].set(code, None)),
        plain_texts(frame["description"]).list.join(" ").replace("", None),
        *(plain_texts(frame[name]) for name in ("features", "categories")),
        *(plain_text(frame[name]) for name in ("brand", "store") if name in keys),
        *(pl.col(name).fill_null([]) for name in ("also_buy",) if name in keys),
        price=price(frame["price"]),
    )
    return frame, tuple(steps)


def price(column: pl.Series) -> pl.Series:
    """Return prices as numbers, null where a value is not a single number.

    Example:
        >>> price(pl.Series(["$1,299.99", "12.5", "$5.00 - $7.00", "from 3", ""])).to_list()
        [1299.99, 12.5, None, None, None]
    """
    digits = column.str.strip_chars().str.extract(_PRICE, 1).str.replace_all(",", "", literal=True)
    return digits.cast(pl.Float64, strict=False)


def _kept(
    frame: pl.DataFrame, source: Source, keep: pl.Series, rule: str, steps: list[CleaningStep]
) -> tuple[pl.DataFrame, Source]:
    steps.append(_step(rule, keep, frame, source, "items"))
    return frame.filter(keep), source.of_rows(keep)


def _step(
    rule: str, keep: pl.Series, frame: pl.DataFrame, source: Source, of_what: str
) -> CleaningStep:
    lost = (~keep).arg_true()
    example = ""
    if len(lost):
        place = source.places([lost[0]])[0]
        example = f"{source.path.name}, {place} (item {frame['item_id'][lost[0]]})"
    return CleaningStep(rule, len(lost), len(keep), example, of_what)
