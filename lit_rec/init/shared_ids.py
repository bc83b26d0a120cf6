"""How many ids two tables share, and how many they would if both were written alike."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl


def found_ids(ids: pl.Series, keys: pl.Series) -> str:
    """Return how many ids are among the keys, and how many would be if both were written in another way.

    Args:
        ids: Distinct ids.
        keys: Distinct ids.

    Example:
        >>> found_ids(pl.Series(["07", "B1", "x"]), pl.Series(["7", "b1", "x"]))
        '1 of 3 ids; without leading zeros 2; in lower case 2'
    """
    count = int(ids.is_in(keys.implode()).sum())
    said = f"{count:,} of {len(ids):,} ids"
    if count == len(ids):
        return said
    for way, written in _WAYS.items():
        alike = int(written(ids).is_in(written(keys).unique().implode()).sum())
        if alike > count:
            said += f"; {way} {alike:,}"
    return said


_WAYS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "without leading zeros": lambda ids: ids.str.replace(r"^0+(.)", "$1"),
    "without spaces": lambda ids: ids.str.replace_all(r"\s", ""),
    "without signs": lambda ids: ids.str.replace_all(r"[\s\-_./#]", ""),
    "in lower case": lambda ids: ids.str.to_lowercase(),
    "without the fraction .0": lambda ids: ids.str.replace(r"\.0+$", ""),
}
