"""DrawnRows: which unlabelled rows a step reads; a function of the step, so a resumed run draws what it would have."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Int64s

_OWN_DRAWS = (
    2  # after a seed: other draws than those of the batches' order and of variants of texts
)


class DrawnRows:
    """Rows in a random order, each once before any comes again; a step takes those of its place.

    Args:
        rows: The rows.
        seed: Seed of the order.

    Example:
        >>> drawn = DrawnRows(np.arange(4), seed=0)
        >>> sorted([*drawn.at(0, 2).tolist(), *drawn.at(2, 2).tolist()])
        [0, 1, 2, 3]
    """

    def __init__(self, rows: Int64s, seed: int) -> None:
        self.rows, self._seed = rows, seed
        self._order: tuple[int, Int64s] | None = None  # of the last turn that was asked for

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def at(self, first: int, count: int) -> Int64s:
        """Return the rows at the places from ``first`` on, at most ``count``, each once.

        Args:
            first: A place in the endless order.
            count: How many places.
        """
        place = np.arange(first, first + min(count, len(self.rows)))
        turn, within = np.divmod(place, len(self.rows))
        found = [self._of_turn(int(t))[within[turn == t]] for t in np.unique(turn)]
        together = np.concatenate([self.rows[:0], *found])
        # where a turn ends and another begins, a row may be there twice
        return together[np.sort(np.unique(together, return_index=True)[1])]

    def _of_turn(self, turn: int) -> Int64s:
        if self._order is None or self._order[0] != turn:
            chosen = np.random.default_rng([self._seed, turn, _OWN_DRAWS])
            self._order = turn, chosen.permutation(self.rows)
        return self._order[1]
