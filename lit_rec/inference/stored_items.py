"""The items of a checkpoint's catalogue: ids, rows and what is shown of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class StoredItems:
    """Ids and columns by row; ``rows`` has the row of each id, of removed ones too: a history may still name them.

    Args:
        stored: A checkpoint's ``catalogue``.
    """

    def __init__(self, stored: dict[str, Any]) -> None:
        self.ids: list[str] = list(stored["item_id"])
        self.columns: dict[str, list[str | None]] = {
            name: list(values) for name, values in stored["columns"].items()
        }
        self.rows = {id_: row for row, id_ in enumerate(self.ids)}
        self._removed: set[int] = set()

    def __len__(self) -> int:
        """Return how many rows there are, of added and removed items too."""
        return len(self.ids)

    def __contains__(self, id_: object) -> bool:
        """Return whether an item can be recommended."""
        return id_ in self.rows and self.rows[str(id_)] not in self._removed

    def present(self) -> list[str]:
        """Return the ids of items that can be recommended."""
        return [id_ for row, id_ in enumerate(self.ids) if row not in self._removed]

    def fields(self, row: int) -> dict[str, str | None]:
        """Return the columns of an item."""
        return {name: values[row] for name, values in self.columns.items()}

    def remove(self, rows: Iterable[int]) -> None:
        """Take items out of what can be recommended; one that is added again has another row."""
        self._removed.update(rows)

    def add(self, ids: Sequence[str], columns: Mapping[str, Sequence[str | None]]) -> None:
        """Add items after the last; ``columns`` are those of ``self.columns``."""
        for id_ in ids:
            self.rows[id_] = len(self.ids)
            self.ids.append(id_)
        for name, values in self.columns.items():
            values.extend(columns[name])
