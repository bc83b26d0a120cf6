"""Which file holds the behaviors, the items, and the users, and which columns join them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import permutations

from lit_rec.errors import ConfigError, did_you_mean, excerpt
from lit_rec.init.column_names import STRONG, is_bare_id, name_score, same_name
from lit_rec.init.columns import Column
from lit_rec.init.option_words import join_command, option
from lit_rec.init.shared_ids import found_ids
from lit_rec.init.table_files import FILE_WORDS, TableFile

_CLEAR = 0.25  # how much better the best guess has to be than the second
_LEAST_SHARED = 0.5  # least share of the behaviors' distinct ids that the other table has


@dataclass(frozen=True)
class Link:
    """A column of the behaviors whose values are the keys of another table.

    Args:
        column: Name in the behaviors.
        key: Name in the other table.
        shared: Share of the column's distinct values that the other table has.
        covered: Share of the other table's keys that the column has.
        score: How likely the link is; more is better.
        found: How many distinct values the other table has, and how many it would have if both were written alike.
    """

    column: str
    key: str
    shared: float
    covered: float
    score: float
    found: str = ""


@dataclass(frozen=True)
class TableRoles:
    """The files, and what joins them.

    Args:
        behaviors: A row per behavior.
        items: A row per item.
        item: Joins them.
        users: A row per user, if there is such a file.
        user: Joins it.
        left: A third file that nothing joins.
        rival: The error, where another column of the behaviors joins the items as well.
    """

    behaviors: TableFile
    items: TableFile
    item: Link
    users: TableFile | None = None
    user: Link | None = None
    left: TableFile | None = None
    rival: ConfigError | None = None


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
    _check_named_file(files, behaviors)
    named = [name for name in (item_column, user_column) if name is not None]
    found, errors = _all_roles(files, behaviors, item_column, user_column)
    if not found and errors:
        raise errors[0]
    # a column that was named joins tables even without a shared id, if nothing else does
    found.sort(key=lambda pair: (not pair[1].item.shared, -pair[0]))
    if len(files) == 3 and not (found and found[0][1].item.shared):
        with suppress(*([ConfigError] if found else [])):
            return _without_one(files, behaviors, item_column, user_column)
    if not found:
        raise _no_roles(files, named)
    best, roles = found[0]
    if roles.rival is not None:
        raise roles.rival
    _check_shared(roles)
    _check_users(roles)
    for score, other in found[1:]:
        if other.behaviors is not roles.behaviors and best - score < _CLEAR:
            raise ConfigError(
                f"{roles.behaviors.path} and {other.behaviors.path} both look like behaviors",
                where="lit-rec init",
                details=[file.shown for file in files],
                rule="behaviors have a row for each time a user met an item, items a row for each item",
                remedy=f"say which is which: {option('--behaviors', roles.behaviors.path)}",
            )
    return roles


def _check_named_file(files: Sequence[TableFile], behaviors: str | None) -> None:
    if behaviors is not None and behaviors not in [file.path for file in files]:
        raise ConfigError(
            f"'{behaviors}' is none of the files",
            where="--behaviors",
            rule=f"one of {', '.join(file.path for file in files)}",
            remedy="; or ".join(option("--behaviors", file.path) for file in files),
        )


def _check_users(roles: TableRoles) -> None:
    """Raise if a third table has no rows of users but says whose the behaviors are, as a table of orders does."""
    if roles.users is None or roles.user is None or name_score(roles.user.column, "user_id"):
        return
    names = [n for n in roles.users.columns if name_score(n, "user_id") and n != roles.user.key]
    if not names or any(name_score(name, "user_id") for name in roles.behaviors.columns):
        return
    other = roles.user.key
    tables = [(file.path, file.delimiter) for file in (roles.behaviors, roles.users)]
    joining = join_command(tables, (roles.user.column, other))
    raise ConfigError(
        f"{roles.behaviors.path} has no users; '{names[0]}' of {roles.users.path} has, by '{other}'",
        where="lit-rec init",
        details=[file.shown for file in (roles.behaviors, roles.users)],
        rule="each row of the behaviors names its user",
        remedy=f"join them by '{other}' into one table first{joining and f': {joining}'}",
    )


def _check_shared(roles: TableRoles) -> None:
    """Raise if the column that the user named has no id of the items."""
    if not roles.item.shared:
        raise ConfigError(
            f"of '{roles.item.column}' in {roles.behaviors.path}, {roles.item.found} "
            f"are in '{roles.item.key}' of {roles.items.path}",
            where="--item_column",
            details=[_shown_ids(file) for file in (roles.behaviors, roles.items)],
            rule="behaviors name an item by an id that is in one row of the items",
            remedy="write the ids of both tables alike, name another column, or leave the option out",
        )


def _roles(
    behaviors: TableFile, others: Sequence[TableFile], item: str | None, user: str | None
) -> TableRoles | None:
    """Return the roles if columns join the files, else None; ``others`` are items, then users."""
    links = links_to(behaviors, others[0], "item_id", item)
    links = [link for link in links if link.column != user]
    if not links or (links[0].score <= 0 and item is None):
        return None
    best = links[0]
    rivals = [link for link in links[1:] if link.column != best.column]
    error = None
    if rivals and best.score - rivals[0].score < _CLEAR and item is None:
        rival = rivals[0]
        error = ConfigError(
            f"'{best.column}' and '{rival.column}' of {behaviors.path} both match '{best.key}' of {others[0].path}",
            where="lit-rec init",
            details=[file.shown for file in (behaviors, others[0])],
            rule="one column of the behaviors names the item",
            remedy=f"say which: {option('--item_column', best.column)}",
        )
    if len(others) == 1:
        return TableRoles(behaviors, others[0], best, rival=error)
    if error is not None:
        raise error
    of_users = [
        link
        for link in links_to(behaviors, others[1], "user_id", user)
        if link.column != best.column and link.shared
    ]
    return TableRoles(behaviors, others[0], best, others[1], of_users[0]) if of_users else None


def _all_roles(
    files: Sequence[TableFile], behaviors: str | None, item: str | None, user: str | None
) -> tuple[list[tuple[float, TableRoles]], list[ConfigError]]:
    """Return all possible roles with their scores, and errors of tables in roles that they may not have."""
    named = {name for name in (item, user) if name is not None}
    found: list[tuple[float, TableRoles]] = []
    errors: list[ConfigError] = []
    for first, *others in permutations(files):
        if behaviors not in (None, first.path) or not named <= set(first.columns):
            continue
        try:
            roles = _roles(first, others, item, user)
        except ConfigError as error:
            errors.append(error)
            continue
        if roles is not None:
            found.append((_score(roles), roles))
    return found, errors


def _without_one(
    files: Sequence[TableFile], behaviors: str | None, item: str | None, user: str | None
) -> TableRoles:
    """Return the best roles of two of three files; the third is not used.

    Raises:
        ConfigError: If no two of them can be joined.
    """
    found, errors = [], []
    for left in files:
        if left.path == behaviors:
            continue
        others = [file for file in files if file is not left]
        try:
            roles = find_roles(others, behaviors=behaviors, item_column=item, user_column=user)
        except ConfigError as error:
            errors.append(error)
        else:
            found.append(replace(roles, left=left))
    if not found:
        raise _no_roles(files, [name for name in (item, user) if name is not None]) from errors[0]
    return max(found, key=_score)


def links_to(
    behaviors: TableFile, other: TableFile, role: str, column: str | None = None
) -> list[Link]:
    """Return the possible links from the behaviors to another table, the best first.

    Ids alone can mislead: the numbers of users are often also numbers of items. So names count as well as values, and
    a column that has all keys scores higher than one that has some.

    A column that the user names is a link however few of its values the other table has.

    Args:
        behaviors: The behaviors.
        other: The table of items or users.
        role: ``item_id`` or ``user_id``.
        column: The column of the behaviors, where it is known.
    """
    against = "user_id" if role == "item_id" else "item_id"
    keys = {
        c.name: c.ids.unique().implode()
        for c in other.columns.values()
        if c.is_key_like and not c.is_row_number
    }
    links = []
    for one in behaviors.columns.values():
        if column not in (None, one.name) or (column is None and not _may_be_id(one)):
            continue
        values = one.ids.unique()
        for name, of_key in keys.items():
            common = int(values.is_in(of_key).sum())
            shared = common / max(len(values), 1)
            covered = common / max(len(of_key[0]), 1)
            if shared < (_LEAST_SHARED if column is None else 0.0):
                continue
            score = shared + covered / 2 + name_score(one.name, role) + _key_score(one, name, role)
            score -= 1.5 * (name_score(one.name, against) if one.name != role else 0.0)
            links.append(Link(one.name, name, shared, covered, score, found_ids(values, of_key[0])))
    return sorted(links, key=lambda link: -link.score)


def _may_be_id(column: Column) -> bool:
    """Return whether a column can name something; values in the range of times may, unless the name says a time."""
    others = ["rating", "measure"] + ["timestamp"] * (column.time_form is not None)
    named = any(name_score(column.name, role) for role in others)
    return column.filled > 0.9 and not (column.is_nested or named or column.counts_rows)


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
            score += 0.25 * any(word in file.words for word in FILE_WORDS[role].split())
    return score


def _no_roles(files: Sequence[TableFile], named: Sequence[str]) -> ConfigError:
    absent = [name for name in named if not any(name in file.columns for file in files)]
    if absent:
        names = dict.fromkeys(name for file in files for name in file.columns)
        return ConfigError(
            f"there is no column {excerpt(absent[0])}",
            where="lit-rec init",
            details=[file.shown for file in files],
            rule="names are those of the file's header",
            remedy=did_you_mean(absent[0], names, "name one of these columns"),
        )
    if named and not any(set(named) <= set(file.columns) for file in files):
        return ConfigError(
            f"no table has both '{named[0]}' and '{named[1]}'",
            where="lit-rec init",
            details=[file.shown for file in files],
            rule="both options name columns of the behaviors",
            remedy="name two columns of one table, or leave one of the options out",
        )
    near, found_there = _nearest(files)
    return ConfigError(
        "no column of one table holds the keys of the other",
        where="lit-rec init",
        details=[*(_shown_ids(file) for file in files), *found_there],
        rule="behaviors name an item by an id that is in one row of the items",
        remedy="make the ids of both tables equal, or go on with those that are: "
        + option("--item_column", near)
        if near
        else "make the ids of both tables equal, with a row for each item in one of them",
    )


def _nearest(files: Sequence[TableFile]) -> tuple[str, list[str]]:
    """Return the column whose name is most like an item's and which has ids of the other table, and what was found."""
    links: list[tuple[float, Link, TableFile, TableFile]] = []
    for one, other in permutations(files, 2):
        for column in one.columns.values():
            if name_score(column.name, "item_id") and _may_be_id(column):
                of_column = links_to(one, other, "item_id", column.name)
                links += [(link.score, link, one, other) for link in of_column[:1]]
    if not links:
        return "", []
    _, link, one, other = max(links, key=lambda found: found[0])
    said = f"'{link.column}' of {one.path} and '{link.key}' of {other.path} share {link.found}"
    # behaviors name an item in many rows; a column that does not is a key
    near = link.shared and not one.columns[link.column].is_key_like
    return (link.column if near else ""), [said]


def _shown_ids(file: TableFile) -> str:
    """Return the file's columns, and some values of columns named like items, so that different ids can be seen."""
    ids = [c for c in file.columns.values() if name_score(c.name, "item_id")]
    return file.shown + "".join(f"; {c.name} holds {c.shown(2)}" for c in ids[:2])
