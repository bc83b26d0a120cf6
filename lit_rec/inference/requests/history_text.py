"""A history as one text, as the command line takes it: ids divided by commas, each with a rating after a colon."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from typing import Any

from lit_rec.errors import DataError


def entries_of(text: str, known: Collection[str], *, where: str) -> list[dict[str, Any]]:
    """Return the entries that a text names, oldest first.

    Ids may contain commas and colons: of all divisions at commas, the one with the fewest unknown names is chosen, and
    of several the one with the longest ids.

    Args:
        text: The text.
        known: Ids of the catalogue.
        where: The argument's name, for the error.

    Raises:
        DataError: If it names no item.

    Example:
        >>> entries_of("Dune, Part 1,181:3", {"Dune, Part 1", "181"}, where="history")
        [{'item_id': 'Dune, Part 1'}, {'item_id': '181', 'rating': '3'}]
    """
    parts = text.split(",")
    ids = known if isinstance(known, set | frozenset | dict) else set(known)
    if not any(part.strip() for part in parts):
        raise DataError(
            "names no item",
            where=where,
            rule="item ids, divided by commas",
            remedy=f"name some, such as {','.join(islice(known, 2))}, or leave it out",
        )
    # without commas in ids, nothing has to be joined
    longest = 1 + max((id_.count(",") for id_ in ids if "," in id_), default=0)
    return _division(parts, ids, longest)


def _division(parts: list[str], ids: Collection[str], longest: int) -> list[dict[str, Any]]:
    """Return the entries of the division with the fewest unknown names.

    It is found from the end: ``best[n]`` is the division of the parts from n on, and its number of unknown names.
    """
    best: list[tuple[int, int, dict[str, Any] | None]] = [(0, 0, None)] * (len(parts) + 1)
    for start in range(len(parts) - 1, -1, -1):
        name = parts[start].strip()
        # an empty part, such as after a last comma, is no entry
        alone = (best[start + 1][0] + bool(name), 1, _entry(name, ids) if name else None)
        options = []
        for size in range(min(longest, len(parts) - start), 0, -1):
            entry = _entry(",".join(parts[start : start + size]).strip(), ids)
            if entry["item_id"] in ids and "," not in entry.get("rating", ""):
                options.append((best[start + size][0], size, entry))
        best[start] = min(
            [*options, alone], key=lambda option: option[0]
        )  # the first of equal ones
    found, start = [], 0
    while start < len(parts):
        _, size, chosen = best[start]
        found += [] if chosen is None else [chosen]
        start += size
    return found


def _entry(name: str, ids: Collection[str]) -> dict[str, Any]:
    item, colon, rating = name.rpartition(":")
    if name in ids or not colon:
        return {"item_id": name}
    return {"item_id": item.rstrip(), "rating": rating.strip()}
