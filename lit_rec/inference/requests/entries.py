"""What is asked: histories and items, as ids, as texts, or both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from lit_rec.data.facts import Facts
from lit_rec.errors import DataError, did_you_mean, excerpt
from lit_rec.inference.stored.items import StoredItems

HistoryEntry = str | Mapping[str, Any]
Entry = TypeVar("Entry")


def listed(values: Iterable[Entry], *, where: str) -> Iterable[Entry]:
    """Return ``values``, which must be several: a lone id would be read letter by letter.

    Raises:
        DataError: If it is a text, or a mapping.
    """
    if isinstance(values, str | Mapping):
        raise DataError(
            f"{excerpt(values)} is one thing, not a list of them",
            where=where,
            rule="a list, also where it holds one thing only",
            remedy=f"write [{excerpt(values)}]",
        )
    return values


def at_least_one(k: int) -> None:
    """Check how many are asked for.

    Raises:
        DataError: If it is fewer than one.
    """
    if k < 1:
        raise DataError(f"{k} is too small", where="k", rule="1 or more", remedy="ask for 10")


def record_of(entry: HistoryEntry, *, where: str = "history") -> dict[str, Any]:
    """Return an entry as a mapping.

    Args:
        entry: An id, or a mapping.
        where: What it was given in, for the error.

    Raises:
        DataError: If it is neither an id nor a mapping.
    """
    if isinstance(entry, Mapping):
        return dict(entry)
    if isinstance(entry, str):
        return {"item_id": entry}
    raise DataError(
        f"{excerpt(entry)} is {type(entry).__name__}, neither an id nor a mapping",
        where=where,
        rule="an item id as text, or a mapping such as {'item_id': '50', 'rating': 4}",
        remedy=f"write {excerpt(str(entry))} if that is an item's id",
    )


def item_row(item_id: str, items: StoredItems, *, where: str) -> int:
    """Return the row of an id: of an item of the catalogue, or of one that was removed and is remembered.

    Raises:
        DataError: If there is no such item.
    """
    row = items.row(item_id)
    if row is not None:
        return row
    near = did_you_mean(str(item_id), items.present(), count=3)
    raise DataError(
        f"{excerpt(item_id)} is not among the {items.count:,} items of the catalogue",
        where=where,
        rule="ids of the items table, as text",
        remedy=f"{near} A new item can be given by its text, or added with add_items".lstrip(),
    )


def event_place(event: str | None, events: Sequence[str]) -> int:
    """Return 1 + the event's place, 0 for none.

    Raises:
        DataError: If training saw no such event.
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
    """Return 1 + the label's place; where none is given, that of the positive one of two, else 0.

    Args:
        label: What the entry says.
        facts: Facts of the data; where histories do not tell labels, none counts.

    Raises:
        DataError: If training saw no such label.
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
    """Return a rating as a number within the training data's range, which is 0 to 0 where it had no ratings.

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
            f"the rating {excerpt(value)} says nothing to a model that was trained without ratings",
            where="history",
            rule="entries have a rating where the training data had ratings",
            remedy="leave it out",
        )
    raise DataError(
        f"the rating {excerpt(value)} is not usable",
        where="history",
        rule=f"a number from {low:g} to {high:g}, as in the training data",
        remedy="correct it, or leave it out for an item that was liked",
    )


def time_of(value: Any, *, where: str = "history") -> float:
    """Return a time in seconds, NaN where it is unknown.

    Args:
        value: The time.
        where: What it was given as, for the error.

    Raises:
        DataError: If it is not a number, or infinite.
    """
    try:
        seconds = float("nan") if value is None else float(value)
    except (TypeError, ValueError):
        seconds = float("inf")
    if not math.isinf(seconds):
        return seconds
    raise DataError(
        f"the timestamp {excerpt(value)} is not usable",
        where=where,
        rule="seconds, as in the training data",
        remedy="correct it or leave it out",
    )
