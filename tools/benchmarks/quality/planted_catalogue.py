"""Tables of a large catalogue with planted structure: 50,000 users, 16,859 items, who follow a few interests.

An interest has items of a Pareto popularity, whose titles share two words. A user has two interests, takes things of
the first twice as often as of the second, and every seventh of any.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tools.benchmarks.scale.tables import words_of_syllables

USERS, ITEMS, INTERESTS = 50_000, 16_859, 300
_ASTRAY, _SECOND = (
    0.15,
    0.3,
)  # how often a user takes anything, and something of the second interest
_LONGEST = 40
_START = 1_500_000_000  # seconds


def planted_tables(folder: Path, users: int = USERS, items: int = ITEMS) -> tuple[Path, Path]:
    """Return the paths of behaviors and items; they are written if they are not there, and always the same.

    Args:
        folder: Where they are, or will be.
        users: Number of users.
        items: Number of items.
    """
    behaviors, titles = folder / "behaviors.csv", folder / "items.csv"
    if not behaviors.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        chance = np.random.default_rng(0)
        interest = chance.integers(0, INTERESTS, items)
        _items(chance, interest).write_csv(titles)
        _behaviors(chance, interest, users).write_csv(behaviors)
    return behaviors, titles


def _items(chance: np.random.Generator, interest: np.ndarray) -> pl.DataFrame:
    words = words_of_syllables()
    shared = words[chance.integers(0, len(words), (INTERESTS, 2))]
    own = words[chance.integers(0, len(words), (len(interest), 2))]
    title = [" ".join([*shared[place], *mine]) for place, mine in zip(interest, own, strict=True)]
    return pl.DataFrame({"item_id": np.arange(len(interest)), "title": title})


def _behaviors(chance: np.random.Generator, interest: np.ndarray, users: int) -> pl.DataFrame:
    weight = chance.pareto(1.2, len(interest)) + 0.05
    order = np.argsort(interest, kind="stable")
    until = np.cumsum(weight[order])  # items of an interest follow one another
    low = np.searchsorted(interest[order], np.arange(INTERESTS))
    high = np.searchsorted(interest[order], np.arange(INTERESTS), side="right")
    begins = np.concatenate([[0.0], until])[low]
    ends = np.concatenate([[0.0], until])[high]
    length = np.clip(chance.geometric(0.14, users) + 3, 4, _LONGEST)
    user = np.repeat(np.arange(users), length)
    both = chance.integers(0, INTERESTS, (users, 2))[user]
    chosen = np.where(chance.random(len(user)) < _SECOND, both[:, 1], both[:, 0])
    astray = chance.random(len(user)) < _ASTRAY
    chosen = np.where(astray, chance.integers(0, INTERESTS, len(user)), chosen)
    drawn = begins[chosen] + chance.random(len(user)) * (ends - begins)[chosen]
    item = order[np.minimum(np.searchsorted(until, drawn, side="right"), len(order) - 1)]
    first = np.unique(user * len(interest) + item, return_index=True)[
        1
    ]  # nobody takes a thing twice
    kept = np.sort(first)
    return pl.DataFrame(
        {
            "user_id": user[kept],
            "item_id": item[kept],
            "timestamp": _START + kept,
        }
    )
