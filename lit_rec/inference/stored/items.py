"""The items of a catalogue at one moment: ids, rows and what is shown of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, compress

from lit_rec.inference.index.item_vectors import untouched

LEAST_REMEMBERED = 10_000  # removed items that are remembered at least
_LEAST_DROPPED, _SHARE_DROPPED = (
    1_024,
    8,
)  # removed rows are given back when they are more, and an eighth


@dataclass(frozen=True)
class ItemPart:
    """Some items in a row: ids, columns by name, and each id's place; of an id that stands here twice, the later."""

    ids: Sequence[str]
    columns: Mapping[str, Sequence[str | None]]
    places: Mapping[str, int]

    @classmethod
    def of(cls, ids: Iterable[str], columns: Mapping[str, Iterable[str | None]]) -> ItemPart:
        """Return a part, whose places are found here, before anybody asks."""
        listed = list(ids)
        places = {id_: place for place, id_ in enumerate(listed)}
        return cls(listed, {name: list(values) for name, values in columns.items()}, places)


@dataclass(frozen=True)
class StoredItems:
    """Items by row, and after them those that were removed and are only remembered.

    It is a value, so whoever reads it sees one moment. A removed item keeps its row until ``of_kept``, and is then
    remembered by a row after all others. A history may name any of them.

    Args:
        parts: The items, in the catalogue's order.
        removed: Rows that cannot be recommended, in the order in which they were removed.
        remembered: Ids of items that have no row among these any more, by their places in the order in which they were
            removed.

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
        """Return items that can all be recommended."""
        return cls((ItemPart.of(ids, columns),))

    def __len__(self) -> int:
        """Return how many rows can be searched, of removed items too; rows from here on are only remembered."""
        return self.starts[-1]

    @property
    def named(self) -> int:
        """How many rows a history may name: those that are searched, and those that are remembered."""
        return len(self) + len(self.remembered)

    @property
    def columns(self) -> Iterable[str]:
        """Names of what is shown of an item."""
        return self.parts[0].columns

    @property
    def count(self) -> int:
        """How many items can be recommended."""
        return len(self) - len(self.removed)

    def __contains__(self, id_: object) -> bool:
        """Return whether an item can be recommended."""
        row = self.row(str(id_))
        return row is not None and row < len(self) and row not in self.removed

    def row(self, id_: str) -> int | None:
        """Return the row of an id, of a removed item too; None: nobody knows it."""
        for number in range(len(self.parts) - 1, -1, -1):
            if (place := self.parts[number].places.get(id_)) is not None:
                return self.starts[number] + place
        place = self.remembered.get(id_)
        return None if place is None else len(self) + place

    def __iter__(self) -> Iterator[str]:
        """Yield the ids of all rows that are searched."""
        for part in self.parts:
            yield from part.ids

    def present(self) -> list[str]:
        """Return the ids of items that can be recommended."""
        if not self.removed:
            return list(self)
        return [id_ for row, id_ in enumerate(self) if row not in self.removed]

    def id(self, row: int) -> str:
        """Return the id of a row that is searched."""
        part, place = self._at(row)
        return part.ids[place]

    def fields(self, row: int) -> dict[str, str | None]:
        """Return the columns of a row that is searched."""
        part, place = self._at(row)
        return {name: values[place] for name, values in part.columns.items()}

    def _at(self, row: int) -> tuple[ItemPart, int]:
        number = bisect_right(self.starts, row) - 1
        return self.parts[number], row - self.starts[number]

    def with_more(
        self, ids: Sequence[str], columns: Mapping[str, Sequence[str | None]]
    ) -> StoredItems:
        """Return these items and others after the last; ``columns`` are those of ``self.columns``."""
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
        """Return the items of which these cannot be recommended either; one that is added again has another row."""
        return replace(self, removed={**self.removed, **dict.fromkeys(rows)})

    @property
    def has_many_removed(self) -> bool:
        """Whether so many rows are of removed items that it is time for ``of_kept``."""
        return len(self.removed) > max(_LEAST_DROPPED, len(self) // _SHARE_DROPPED)

    def of_kept(self, for_good: Container[str]) -> tuple[StoredItems, list[int]]:
        """Return the items without rows that cannot be recommended; those are remembered.

        The first of too many are forgotten. Of those that were removed last, as many are remembered as there are items,
        and ``LEAST_REMEMBERED`` at least.

        Args:
            for_good: Ids that are never forgotten.

        Returns:
            The items, and the rows, as these items have them, of what they remember.
        """
        kept = [row not in self.removed for row in range(len(self))]
        part = ItemPart.of(
            compress(self, kept),
            {
                name: compress(chain(*(part.columns[name] for part in self.parts)), kept)
                for name in self.columns
            },
        )
        rows = {id_: len(self) + place for id_, place in self.remembered.items()}
        for row in self.removed:
            rows.pop(self.id(row), None)  # what was removed again goes to the end
            rows[self.id(row)] = row
        # an id that was added again names the new item
        rows = {id_: row for id_, row in rows.items() if id_ not in part.places}
        others = [id_ for id_ in rows if id_ not in for_good]
        for id_ in others[: max(len(others) - max(self.count, LEAST_REMEMBERED), 0)]:
            del rows[id_]
        remembered = {id_: place for place, id_ in enumerate(rows)}
        return StoredItems((part,), remembered=remembered), list(rows.values())
