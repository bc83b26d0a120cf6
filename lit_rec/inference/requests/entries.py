"""Entries of a request: histories and items, given by ids or texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, TypeVar

from lit_rec.data.facts import Facts
from lit_rec.errors import DataError, did_you_mean, excerpt
from lit_rec.inference.index.stored_items import StoredItems
from lit_rec.inference.requests.frames import is_frame, table_of
from lit_rec.inference.requests.values import id_of, is_missing

ItemId = str | int  # 7 and "7" name the same item
HistoryEntry = ItemId | Mapping[str, Any]
Entry = TypeVar("Entry")


def listed(values: Iterable[Entry], *, where: str) -> Iterable[Entry]:
    """Return ``values``, and refuse a single id: it would be read letter by letter. Rows of a table are mappings.

    Raises:
        DataError: If ``values`` is a text, a number or a mapping.
    """
    if is_frame(values):
        # a row has its empty cells as well, which say nothing
        rows = table_of(values, where=where).iter_rows(named=True)
        return [{name: v for name, v in row.items() if not is_missing(v)} for row in rows]  # type: ignore[misc]
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise DataError(
            f"{excerpt(values)} is one entry, not a list",
            where=where,
            rule="a list, also for one entry",
            remedy=f"write [{excerpt(values)}]",
        )
    return values


def record_of(entry: HistoryEntry, *, where: str = "history") -> dict[str, Any]:
    """Return an entry as a mapping.

    Args:
        entry: An id, or a mapping.
        where: The argument's name, for the error.

    Raises:
        DataError: If it is neither an id nor a mapping.
    """
    if isinstance(entry, Mapping):
        return dict(entry)
    if isinstance(entry, str | Real) and not isinstance(entry, bool) and not is_missing(entry):
        return {"item_id": id_of(entry, where=where)}
    raise DataError(
        f"{excerpt(entry)} is {type(entry).__name__}, neither an id nor a mapping",
        where=where,
        rule="an item id as text, or a mapping such as {'item_id': '50', 'rating': 4}",
        remedy=_as_mapping(entry),
    )


def _as_mapping(entry: Any) -> str:
    """Return how an entry is written that is neither an id nor a mapping."""
    if is_missing(entry):
        return "leave it out"
    if isinstance(entry, Sequence) and not isinstance(entry, bytes) and 1 <= len(entry) <= 2:
        return f"write {dict(zip(('item_id', 'rating'), entry, strict=False))}"
    name = entry.decode(errors="replace") if isinstance(entry, bytes) else str(entry)
    return f"write {excerpt(name)} if that is an item's id, or leave it out"


def item_row(item_id: ItemId, items: StoredItems, *, where: str) -> int:
    """Return the row of an item id, also of a removed item that is remembered.

    Raises:
        DataError: If there is no such item, or it is neither a text nor a number.
    """
    item_id = id_of(item_id, where=where)
    row = items.row(item_id)
    if row is not None:
        return row
    near = did_you_mean(item_id, items.present(), count=3)
    raise DataError(
        f"{excerpt(item_id)} is not among the {items.count:,} items of the catalogue",
        where=where,
        rule="ids of the items table, as text",
        remedy=f"{near} A new item can be added with add_items, and in a history be given by its text".lstrip(),
    )


def event_place(event: str | None, events: Sequence[str]) -> int:
    """Return 1 + the event's index, 0 for no event.

    Raises:
        DataError: If the training data had no such event.
    """
    if event is None:
        return 0
    if event in events:
        return list(events).index(event) + 1
    raise DataError(
        f"{excerpt(event)} is not an event of the training data",
        where="history",
        rule=f"one of {', '.join(events) or 'none: the data had no events'}",
        remedy="correct it or leave it out",
    )


def label_place(label: Any, facts: Facts) -> int:
    """Return 1 + the label's index; without a label, that of the positive one of two labels, else 0.

    Args:
        label: The entry's label.
        facts: Facts of the data; if histories hold no labels, the result is 0.

    Raises:
        DataError: If the training data had no such label.
    """
    if not facts.history_labels:
        return 0
    if label is None:
        return 2 if len(facts.labels) == 2 else 0
    if str(label) in facts.labels:
        return facts.labels.index(str(label)) + 1
    raise DataError(
        f"the label {excerpt(label)} is not one of the training data",
        where="history",
        rule=f"one of {', '.join(facts.labels[:20])}",
        remedy="correct it, or leave it out",
    )


def rating_of(value: Any, low: float, high: float) -> float:
    """Return a rating as a number in the training data's range, which is 0 to 0 for data without ratings.

    Raises:
        DataError: If it is not a number, or out of range.
    """
    try:
        rating = float(value)
    except (TypeError, ValueError):
        rating = float("nan")
    if low <= rating <= high:
        return rating
    if low == high == 0:
        raise DataError(
            f"the rating {excerpt(value)} has no meaning for a model that was trained without ratings",
            where="history",
            rule="entries have a rating only if the training data had ratings",
            remedy="leave it out",
        )
    raise DataError(
        f"the rating {excerpt(value)} is not usable",
        where="history",
        rule=f"a number from {low:g} to {high:g}, as in the training data",
        remedy="correct it, or leave it out for an item that was liked",
    )
