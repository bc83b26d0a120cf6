"""Items of a request: by their ids in the catalogue, or by their texts; checks of the ids of added items."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import polars as pl

from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.request import Seen
from lit_rec.data.facts import Facts
from lit_rec.data.tables.column_values import NoSuchValuesError, ids_of
from lit_rec.errors import DataError, excerpt, some_of
from lit_rec.inference.index.stored_items import StoredItems
from lit_rec.inference.requests.entries import (
    HistoryEntry,
    event_place,
    item_row,
    label_place,
    listed,
    rating_of,
    record_of,
)
from lit_rec.inference.requests.texts import NewTexts
from lit_rec.inference.requests.values import is_missing, time_of


class NamedItems:
    """Rows of one request's items: first those of ``StoredItems``, then one for each item that is given by its text.

    ``new`` has the columns of the items that are given by text, in the order of their rows.

    Args:
        items: The catalogue's items.
        texts: The reader of texts.
    """

    def __init__(self, items: StoredItems, texts: NewTexts) -> None:
        self._items, self._texts = items, texts
        self.new: list[dict[str, Any]] = []

    def row(self, record: Mapping[str, Any], *, where: str) -> int:
        """Return the row of an item.

        Args:
            record: ``item_id``, or columns of the text.
            where: The argument's name, for errors.

        Raises:
            DataError: If the id is unknown, or neither an id nor a text is given.
        """
        if not is_missing(record.get("item_id")):
            return item_row(record["item_id"], self._items, where=where)
        values = self._texts.values(record)
        if values is None:
            columns = self._texts.columns
            raise DataError(
                f"{dict(record)!r} names no item",
                where=where,
                rule=f"item_id, or one of {', '.join(columns)}",
                remedy=f"write {{'{columns[0]}': '...'}}",
            )
        self.new.append(values)
        return self._items.named + len(self.new) - 1

    def catalogue(self) -> Catalogue:
        """Return ``new`` as a catalogue.

        Raises:
            DataError: If a value of a field cannot be read.
        """
        return self._texts.catalogue(self._texts.render(self.new, where="history"))

    def shown(self, row: int) -> dict[str, str | None]:
        """Return the shown columns of an item of ``new``, by its row."""
        return self._texts.shown(self.new[row - self._items.named])


def read_history(history: Sequence[HistoryEntry], items: NamedItems, facts: Facts) -> list[Seen]:
    """Return the behaviors of a history, oldest first; those without a rating or label count as liked.

    Args:
        history: Ids, or mappings with ``item_id`` or text, and optional rating, label, event and timestamp.
        items: Collects the request's items.
        facts: Facts of the data.

    Raises:
        DataError: If an entry cannot be used.
    """
    seen: list[Seen] = []
    for entry in listed(history, where="history"):
        record = record_of(entry)
        row = items.row(record, where="history")
        rating = record.get("rating")
        if is_missing(rating):
            given = facts.target.liked_rating(facts.rating_high)
        else:
            given = rating_of(rating, facts.rating_low, facts.rating_high)
        event, label = (None if is_missing(v) else v for v in map(record.get, ("event", "label")))
        when = time_of(record.get("timestamp"))
        place = event_place(event, facts.events)
        seen.append(Seen(row, given, place, when, label_place(label, facts)))
    return seen


def ids_of_new_items(items: pl.DataFrame, known: Container[str]) -> list[str]:
    """Return the ids of a table of new items as texts.

    Args:
        items: A table with item_id.
        known: Ids of the catalogue.

    Raises:
        DataError: If item_id is missing, empty, repeated, not an id, or already in the catalogue.
    """
    if "item_id" not in items.columns:
        raise DataError(
            f"there is no column 'item_id'; the table has {some_of(items.columns)}",
            where="add_items",
            rule="item_id and the columns of the text",
            remedy="rename the column that holds the ids to item_id",
        )
    try:
        if items["item_id"].dtype.is_nested():
            raise NoSuchValuesError(f"holds {items['item_id'].dtype}")
        given = ids_of(items["item_id"])
    except NoSuchValuesError as error:
        raise DataError(
            f"column 'item_id' {error}",
            where="add_items",
            rule="texts or whole numbers",
            remedy="write the ids as text",
        ) from error
    ids: list[str] = []
    seen: set[str] = set()
    for row, id_ in enumerate(given.to_list(), 1):
        if not id_:
            problem, remedy = "has no item_id", "give it an id, or leave it out"
        elif id_ in known:
            problem = f"has the item_id {excerpt(id_)}, which is already in the catalogue"
            remedy = (
                f"give it another id, or remove the old item first: remove_items([{excerpt(id_)}])"
            )
        elif id_ in seen:
            problem = f"has the item_id {excerpt(id_)}, which is there twice"
            remedy = "give it another id, or leave it out"
        else:
            ids.append(id_)
            seen.add(id_)
            continue
        raise DataError(
            problem,
            where=f"add_items, row {row}",
            rule="each item has an id of its own",
            remedy=remedy,
        )
    return ids
