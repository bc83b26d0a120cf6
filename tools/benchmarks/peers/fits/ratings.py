"""What peers of ratings share: the rows that they are fitted on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tools.benchmarks.peers.exchange import Array


def both_ways(rows: dict[str, Array]) -> Iterator[tuple[str, Array, Array, Array]]:
    """Yield an ending of the line's name, and users, items and ratings: of training rows, then of validation rows, too.

    Example:
        >>> rows = {f"{part}_{name}": np.array([1]) for part in ("train", "val") for name in ("user", "item", "rating")}
        >>> [(more, len(user)) for more, user, _, _ in both_ways(rows)]
        [('', 1), (', validation rows too', 2)]
    """
    names = ("user", "item", "rating")
    for more, parts in (("", ("train",)), (", validation rows too", ("train", "val"))):
        user, item, rating = (
            np.concatenate([rows[f"{part}_{name}"] for part in parts]) for name in names
        )
        yield more, user, item, rating
