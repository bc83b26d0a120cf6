"""Items that a catalogue is extended by: their ids."""

from __future__ import annotations

from collections.abc import Container

import polars as pl

from lit_rec.data.tables.column_values import NoSuchValuesError, ids_of
from lit_rec.errors import DataError, excerpt, some_of


def ids_of_new_items(items: pl.DataFrame, known: Container[str]) -> list[str]:
    """Return the ids of a table of new items, as text.

    Args:
        items: A table with item_id.
        known: Ids of the catalogue.

    Raises:
        DataError: If item_id is missing, empty, repeated, no id, or already in the catalogue.
    """
    rule, remedy = "each item has an id of its own", "add only new items, each once"
    if "item_id" not in items.columns:
        raise DataError(
            f"there is no column 'item_id'; the table has {some_of(items.columns)}",
            where="add_items",
            rule="item_id and the columns of the text",
            remedy="rename the column that holds the ids",
        )
    try:
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
            problem = "has no item_id"
        elif id_ in known:
            problem = f"has the item_id {excerpt(id_)}, which is already in the catalogue"
        elif id_ in seen:
            problem = f"has the item_id {excerpt(id_)}, which is there twice"
        else:
            ids.append(id_)
            seen.add(id_)
            continue
        raise DataError(problem, where=f"add_items, row {row}", rule=rule, remedy=remedy)
    return ids
