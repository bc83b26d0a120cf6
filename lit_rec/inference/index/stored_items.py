"""StoredItems: the ids, rows and shown columns of a catalogue's items, as an immutable value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, compress

from lit_rec.inference.index.item_vectors import untouched

LEAST_REMEMBERED = 10_000  # smallest number of removed items that are remembered
# rows of removed items are freed when they are more than this number, and than an eighth of all rows
_LEAST_DROPPED, _SHARE_DROPPED = 1_024, 8


@dataclass(frozen=True)
class ItemPart:
    """Consecutive items: ids, columns by name, and each id's place; for a repeated id the last place."""

    ids: Sequence[str]
    columns: Mapping[str, Sequence[str | None]]
    places: Mapping[str, int]

    @classmethod
    def of(cls, ids: Iterable[str], columns: Mapping[str, Iterable[str | None]]) -> ItemPart:
        """Return a part, with its places by id."""
        listed = list(ids)
        places = {id_: place for place, id_ in enumerate(listed)}
        return cls(listed, {name: list(values) for name, values in columns.items()}, places)


@dataclass(frozen=True)
class StoredItems:
    """Items by row, followed by removed items that are only remembered.

    It is immutable, so a reader sees one state. A removed item has its row until ``compacted``, and is then remembered
    by a row after all others. A history may name any of these items.

    Args:
        parts: The items, in the catalogue's order.
        removed: Rows that cannot be recommended, in the order of their removal.
        remembered: Ids of items whose rows were freed, with their places in the order of their removal.

    Example:
        >>> items = StoredItems.of(["a", "b"], {"title": ["A", "B"]})
        >>> items = items.without([0]).with_more(["c"], {"title": ["C"]})
        >>> items.present(), items.row("a"), items.fields(2)
        (['b', 'c'], 0, {'title': 'C'})
    """

    parts: tuple[ItemPart, ...]
    removed: Mapping[int, None] = field(default_factory=dict)
    remembered: Mapping[str, int] = field(default_factory=dict)
    starts: Sequence[int] = field(init=False)

    def __post_init__(self) -> None:
        """Count the rows before each part."""
        sizes = (len(part.ids) for part in self.parts)
        object.__setattr__(self, "starts", tuple(accumulate(sizes, initial=0)))

    @classmethod
    def of(cls, ids: Iterable[str], columns: Mapping[str, Iterable[str | None]]) -> StoredItems:
        """Return items of which none is removed."""
        return cls((ItemPart.of(ids, columns),))

    def __len__(self) -> int:
        """Return the number of searched rows, including removed items; later rows are only remembered."""
        return self.starts[-1]

    @property
    def named(self) -> int:
        """Number of rows that a history may name: searched and remembered ones."""
        return len(self) + len(self.remembered)

    @property
    def columns(self) -> Iterable[str]:
        """Names of the columns that are shown."""
        return self.parts[0].columns

    @property
    def count(self) -> int:
        """Number of items that can be recommended."""
        return len(self) - len(self.removed)

    def __contains__(self, id_: object) -> bool:
        """Return whether an item can be recommended."""
        row = self.row(str(id_))
        return row is not None and row < len(self) and row not in self.removed

    def row(self, id_: str) -> int | None:
        """Return the row of an id, also of a removed item; None if it is unknown."""
        for number in range(len(self.parts) - 1, -1, -1):
            if (place := self.parts[number].places.get(id_)) is not None:
                return self.starts[number] + place
        place = self.remembered.get(id_)
        return None if place is None else len(self) + place

    def __iter__(self) -> Iterator[str]:
        """Yield the ids of all searched rows."""
        for part in self.parts:
            yield from part.ids

    def present(self) -> list[str]:
        """Return the ids of items that can be recommended."""
        if not self.removed:
            return list(self)
        return [id_ for row, id_ in enumerate(self) if row not in self.removed]

    def id(self, row: int) -> str:
        """Return the id of a searched row."""
        part, place = self._at(row)
        return part.ids[place]

    def fields(self, row: int) -> dict[str, str | None]:
        """Return the columns of a searched row."""
        part, place = self._at(row)
        return {name: values[place] for name, values in part.columns.items()}

    def _at(self, row: int) -> tuple[ItemPart, int]:
        number = bisect_right(self.starts, row) - 1
        return self.parts[number], row - self.starts[number]

    def with_more(
        self, ids: Sequence[str], columns: Mapping[str, Sequence[str | None]]
    ) -> StoredItems:
        """Return these items with more after the last; ``columns`` has the names of ``self.columns``."""
        before = untouched([len(part.ids) for part in self.parts], len(ids))
        grown = self.parts[before:]
        part = ItemPart.of(
            chain(*(part.ids for part in grown), ids),
            {
                name: chain(*(part.columns[name] for part in grown), columns[name])
                for name in self.columns
            },
        )
        return replace(self, parts=(*self.parts[:before], part))

    def without(self, rows: Iterable[int]) -> StoredItems:
        """Return the items with these rows removed too; an item that is added again gets a new row."""
        return replace(self, removed={**self.removed, **dict.fromkeys(rows)})

    @property
    def has_many_removed(self) -> bool:
        """Whether so many rows belong to removed items that ``compacted`` should be called."""
        return len(self.removed) > max(_LEAST_DROPPED, len(self) // _SHARE_DROPPED)

    def compacted(self, always_remembered: Container[str]) -> tuple[StoredItems, list[int]]:
        """Return the items without the rows of removed ones, which are remembered.

        As many removed items are remembered as there are items, and at least ``LEAST_REMEMBERED``. If there are more,
        those that were removed first are forgotten.

        Args:
            always_remembered: Ids that are never forgotten.

        Returns:
            The new items, and the rows in ``self`` of the items that they remember.
        """
        stays = [row not in self.removed for row in range(len(self))]
        part = ItemPart.of(
            compress(self, stays),
            {
                name: compress(chain(*(part.columns[name] for part in self.parts)), stays)
                for name in self.columns
            },
        )
        rows = {id_: len(self) + place for id_, place in self.remembered.items()}
        for row in self.removed:
            rows.pop(self.id(row), None)  # an item that was removed again goes to the end
            rows[self.id(row)] = row
        # an id that was added again names the new item
        rows = {id_: row for id_, row in rows.items() if id_ not in part.places}
        others = [id_ for id_ in rows if id_ not in always_remembered]
        for id_ in others[: max(len(others) - max(self.count, LEAST_REMEMBERED), 0)]:
            del rows[id_]
        remembered = {id_: place for place, id_ in enumerate(rows)}
        return StoredItems((part,), remembered=remembered), list(rows.values())
