"""Which rows of its user a row may see, by the part that it is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.prepared import ALL_PARTS, Ints, Prepared


class SeenRows:
    """The rows that count, once for each set of parts that rows see.

    Args:
        prepared: The behaviors.
        counts: ``[R]`` bool, the rows that count at all.
        seen: For each of ``ALL_PARTS``, the parts that a row of it sees.

    Attributes:
        places: ``[S]`` int64 rows of ``Prepared``; in a span, those of one user in their order.
    """

    def __init__(
        self, prepared: Prepared, counts: Bools, seen: Mapping[str, Sequence[str]]
    ) -> None:
        self._prepared = prepared
        there = [name for name in ALL_PARTS if len(prepared.rows_of(name))]
        # parts that the data has not divide no sets: what is held is no more than the data needs
        sets = {asked: tuple(name for name in there if name in seen[asked]) for asked in there}
        distinct = list(dict.fromkeys(sets.values()))
        codes = [[ALL_PARTS.index(name) for name in names] for names in distinct]
        masks = [counts & np.isin(prepared.part, code) for code in codes]
        places = [np.flatnonzero(mask) for mask in masks]
        starts = np.cumsum([0, *map(len, places)])
        self.places: Int64s = np.concatenate([np.empty(0, np.int64), *places])
        ranks = [
            np.concatenate([[0], np.cumsum(mask)]) + start
            for mask, start in zip(masks, starts, strict=False)
        ]
        self._rank = {
            ALL_PARTS.index(asked): ranks[distinct.index(names)] for asked, names in sets.items()
        }

    def spans(self, rows: Int64s, end: Ints) -> tuple[Int64s, Int64s]:
        """Return where among ``places`` begins and ends what each row sees of its user before ``end``.

        Args:
            rows: ``[B]`` rows of ``Prepared``.
            end: ``[B]`` rows of the same users, or where the user's rows end.
        """
        start, part = self._prepared.offsets[self._prepared.user[rows]], self._prepared.part[rows]
        low, high = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        for code, rank in self._rank.items():
            here = part == code
            low[here] = rank[start[here]]
            high[here] = rank[end[here]]
        return low, high
