"""Which file holds the behaviors, the items, and the users, and which columns join them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from lit_rec.errors import ConfigError
from lit_rec.init.column_names import STRONG, is_bare_id, name_score, same_name
from lit_rec.init.columns import Column
from lit_rec.init.table_files import TableFile

_CLEAR = 0.25  # how much better the best guess has to be than the second
_LEAST_SHARED = 0.5  # least share of the behaviors' distinct ids that the other table has
_FILE_WORDS = {
    "behaviors": (
        "behav rating inter event click review order purchase transaction view log play watch history train bewertung "
        "kauf achat vente pedido compra"
    ),
    "items": "item product movie film book article news catalog katalog meta song track game artikel produkt produit",
    "users": "user customer client member account reader kunde nutzer",
}


@dataclass(frozen=True)
class Link:
    """A column of the behaviors whose values are the keys of another table.

    Args:
        column: Name in the behaviors.
        key: Name in the other table.
        shared: Share of the column's distinct values that the other table has.
        covered: Share of the other table's keys that the column has.
        score: How likely the link is; more is better.
    """

    column: str
    key: str
    shared: float
    covered: float
    score: float


@dataclass(frozen=True)
class TableRoles:
    """The files, and what joins them.

    Args:
        behaviors: A row per behavior.
        items: A row per item.
        item: Joins them.
        users: A row per user, if there is such a file.
        user: Joins it.
    """

    behaviors: TableFile
    items: TableFile
    item: Link
    users: TableFile | None = None
    user: Link | None = None


def find_roles(
    files: Sequence[TableFile],
    *,
    behaviors: str | None = None,
    item_column: str | None = None,
    user_column: str | None = None,
) -> TableRoles:
    """Find out what each file holds.

    Args:
        files: Two or three tables.
        behaviors: The file that holds the behaviors, where the user gave it.
        item_column: Its column of items, where the user gave it.
        user_column: Its column of users, where the user gave it.

    Raises:
        ConfigError: If the roles are not clear; the error names the columns.
    """
    if behaviors is not None and behaviors not in [file.path for file in files]:
        raise ConfigError(
            f"'{behaviors}' is none of the files",
            where="--behaviors",
            rule=f"one of {', '.join(file.path for file in files)}",
            remedy="write the name as among the files",
        )
    named = [name for name in (item_column, user_column) if name is not None]
    found: list[tuple[float, TableRoles]] = []
    for first, *others in permutations(files):
        if behaviors not in (None, first.path) or not set(named) <= set(first.columns):
            continue
        roles = _roles(first, others, item_column, user_column)
        if roles is not None:
            found.append((_score(roles), roles))
    found.sort(key=lambda pair: -pair[0])
    if not found:
        raise _no_roles(files, named)
    best, roles = found[0]
    for score, other in found[1:]:
        if other.behaviors is not roles.behaviors and best - score < _CLEAR:
            raise ConfigError(
                f"{roles.behaviors.path} and {other.behaviors.path} both look like behaviors",
                where="lit-rec init",
                details=[file.shown for file in files],
                rule="behaviors have a row for each time a user met an item, items a row for each item",
                remedy=f"say which is which: --behaviors {roles.behaviors.path}",
            )
    return roles


def _roles(
    behaviors: TableFile, others: Sequence[TableFile], item: str | None, user: str | None
) -> TableRoles | None:
    """Return the roles if columns join the files, else None; ``others`` are items, then users."""
    links = links_to(behaviors, others[0], "item_id", item)
    links = [link for link in links if link.column != user]
    if not links or links[0].score <= 0:
        return None
    best = links[0]
    rivals = [link for link in links[1:] if link.column != best.column]
    if rivals and best.score - rivals[0].score < _CLEAR and item is None:
        rival = rivals[0]
        raise ConfigError(
            f"'{best.column}' and '{rival.column}' of {behaviors.path} both match '{best.key}' of {others[0].path}",
            where="lit-rec init",
            details=[file.shown for file in (behaviors, others[0])],
            rule="one column of the behaviors names the item",
            remedy=f"say which: --item_column {best.column}",
        )
    if len(others) == 1:
        return TableRoles(behaviors, others[0], best)
    of_users = [
        link
        for link in links_to(behaviors, others[1], "user_id", user)
        if link.column != best.column
    ]
    return TableRoles(behaviors, others[0], best, others[1], of_users[0]) if of_users else None


def links_to(
    behaviors: TableFile, other: TableFile, role: str, column: str | None = None
) -> list[Link]:
    """Return the possible links from the behaviors to another table, the best first.

    Ids alone can mislead: the numbers of users are often also numbers of items. So names count as well as values, and
    a column that has all keys scores higher than one that has some.

    Args:
        behaviors: The behaviors.
        other: The table of items or users.
        role: ``item_id`` or ``user_id``.
        column: The column of the behaviors, where it is known.
    """
    against = "user_id" if role == "item_id" else "item_id"
    keys = {c.name: c.ids.unique().implode() for c in other.columns.values() if c.is_key_like}
    links = []
    for one in behaviors.columns.values():
        if column not in (None, one.name) or (column is None and not _may_be_id(one)):
            continue
        values = one.ids.unique()
        for name, of_key in keys.items():
            common = int(values.is_in(of_key).sum())
            shared = common / max(len(values), 1)
            covered = common / max(len(of_key[0]), 1)
            if shared < _LEAST_SHARED:
                continue
            score = shared + covered / 2 + name_score(one.name, role) + _key_score(one, name, role)
            score -= 1.5 * (name_score(one.name, against) if one.name != role else 0.0)
            links.append(Link(one.name, name, shared, covered, score))
    return sorted(links, key=lambda link: -link.score)


def _may_be_id(column: Column) -> bool:
    return column.filled > 0.9 and not column.is_nested and column.time_unit is None


def _key_score(column: Column, key: str, role: str) -> float:
    if same_name(column.name, key):
        return STRONG
    return max(name_score(key, role), 0.75 if is_bare_id(key) else 0.0)


def _score(roles: TableRoles) -> float:
    """Return the score of these roles: that of the links, plus names of columns and files, and sizes."""
    behaviors, items = roles.behaviors, roles.items
    score = roles.item.score + (roles.user.score if roles.user else 0.0)
    for role in ("user_id", "timestamp", "rating"):
        score += max(name_score(name, role) for name in behaviors.columns) / 2
    score += 0.25 * (len(behaviors) >= len(items))
    score += 0.5 * any(c.has_words and c.words > 1.5 for c in items.columns.values())
    for role, file in (("behaviors", behaviors), ("items", items), ("users", roles.users)):
        if file is not None:
            score += 0.25 * any(word in file.words for word in _FILE_WORDS[role].split())
    return score


def _no_roles(files: Sequence[TableFile], named: Sequence[str]) -> ConfigError:
    absent = [name for name in named if not any(name in file.columns for file in files)]
    if absent:
        return ConfigError(
            f"there is no column '{absent[0]}'",
            where="lit-rec init",
            details=[file.shown for file in files],
            rule="names are those of the file's header",
            remedy="name one of these columns",
        )
    return ConfigError(
        "no column of one table holds the keys of the other",
        where="lit-rec init",
        details=[_shown_ids(file) for file in files],
        rule="behaviors name an item by an id that is in one row of the items",
        remedy="make the ids of both tables equal, or name the column with --item_column",
    )


def _shown_ids(file: TableFile) -> str:
    """Return the file's columns, and some values of columns named like items, so that different ids can be seen."""
    ids = [c for c in file.columns.values() if name_score(c.name, "item_id")]
    return file.shown + "".join(f"; {c.name} holds {c.shown(2)}" for c in ids[:2])
