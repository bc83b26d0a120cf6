"""What the behaviors' columns mean, besides the item: user, rating or label, event, time, part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lit_rec.errors import ConfigError, did_you_mean, excerpt, some_of
from lit_rec.init.column_names import STRONG, WEAK, is_id_name, name_score, words_of
from lit_rec.init.columns import Column, fewest
from lit_rec.init.option_words import option
from lit_rec.init.table_files import TableFile
from lit_rec.init.table_roles import TableRoles
from lit_rec.init.time_column import find_time
from lit_rec.init.time_forms import UNKNOWN_UNIT, TimeForm

_MOST_RATINGS = 101  # distinct values of a column that is a rating by its values alone: 0 to 100
_MOST_EVENTS = 50
_PARTS = {"train", "val", "test"}
_ORDER = ("user_id", "item_id", "rating", "label", "event", "timestamp", "impression_id", "split")


@dataclass
class BehaviorColumns:
    """Canonical name -> column, and why.

    Args:
        columns: The mapping.
        why: Canonical name -> the reason for the guess.
        notes: Other things that the user should know, sentences.
        unused: Columns without a meaning, with their values.
        times: How times are read.
        next_item: Whether the next item is predicted, not a rating or a label.
    """

    columns: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    times: TimeForm | None = None
    next_item: bool = False

    def take(self, role: str, column: Column, why: str) -> None:
        """Give a column a meaning, unless another column has this meaning already."""
        if role not in self.columns:
            self.columns[role], self.why[role] = column.name, why
            self.notes += column.rating_notes if role == "rating" else ()

    def left(self, file: TableFile) -> list[Column]:
        """Return the columns without a meaning so far; row numbers have none."""
        taken = set(self.columns.values())
        return [c for name, c in file.columns.items() if name not in taken and not c.counts_rows]


def guess_behavior_columns(
    roles: TableRoles, named: Mapping[str, str], *, next_item: bool = False
) -> BehaviorColumns:
    """Guess by names, then by values.

    Args:
        roles: The tables.
        named: Canonical name -> column, where the user gave it.
        next_item: Whether the next item is predicted even if there are ratings or labels; without these it always is.

    Raises:
        ConfigError: If a column is absent, or a needed column cannot be guessed.
    """
    file, found = roles.behaviors, BehaviorColumns()
    for role, name in named.items():
        if name not in file.columns:
            raise ConfigError(
                f"{file.path} has no column {excerpt(name)}; it has {some_of(file.columns)}",
                where=_option(role),
                rule="names are those of the file's header",
                remedy=did_you_mean(name, file.columns, "name one of these columns"),
            )
        column = file.columns[name]
        is_label = role == "rating" and column.labels is not None
        if role == "rating" and not is_label and not column.has_numbers:
            raise _no_ratings(file, column)
        found.take("label" if is_label else role, column, f"as {_option(role)} says")
    item = file.columns[roles.item.column]
    of_items = f"in `{roles.item.key}` of {roles.items.path}"
    share = f"{100 * roles.item.shared:.1f} % of them are {of_items}"
    found.take("item_id", item, f"{item.distinct:,} distinct values, {share}")
    if "item_id" in named:
        found.why["item_id"] = f"as --item_column says; {roles.item.found} are {of_items}"
    elif ";" in roles.item.found:
        found.notes.append(f"Of `{item.name}`, {roles.item.found} are {of_items}")
    # names outrank the sizes of numbers: a user's number may be in the range of times
    _take_named_user(roles, found)
    _take_time(file, found)
    _take_target(file, found, needed=not next_item)
    if "user_id" not in found.columns:
        _take_user(file, found)
    _take_others(file, found)
    found.next_item = next_item or not found.columns.keys() & {"rating", "label"}
    if found.next_item:
        _check_events(file, found, asked=next_item)
    found.columns = {role: found.columns[role] for role in _ORDER if role in found.columns}
    found.unused = [f"{c.name} ({c.kind})" for c in found.left(file)]
    return found


def _no_ratings(file: TableFile, column: Column) -> ConfigError:
    return ConfigError(
        f"'{column.name}' holds {column.shown()}",
        where=_option("rating"),
        details=[file.shown],
        rule="numbers, or two labels such as 0 and 1",
        remedy="name a column of numbers, or leave the option out",
    )


def _take_named_user(roles: TableRoles, found: BehaviorColumns) -> None:
    """Take the column that joins a table of users, or the one that is called a user."""
    file = roles.behaviors
    if roles.users is not None and roles.user is not None:
        column = file.columns[roles.user.column]
        of_users = f"`{roles.user.key}` of {roles.users.path}"
        why = f"{column.distinct:,} distinct values, {100 * roles.user.shared:.1f} % of them are in {of_users}"
        found.take("user_id", column, why)
    if "user_id" in found.columns:
        return
    best = _by_name(found.left(file), "user_id", lambda column: column.filled > 0.9)
    if len(best) > 1:
        raise _no_user(file, found, best)
    if best:
        _take_as_user(file, found, best[0], "by its name")


def _take_user(file: TableFile, found: BehaviorColumns) -> None:
    """Take the column that is called the name of a user, else the one whose values are like users."""
    left = found.left(file)
    rule, rows = "by its name", len(file)
    best = [c for c in left if c.filled > 0.9 and _is_user_name(c.name)]
    if not best:
        rule = "by its values"
        ids = [c for c in left if c.is_id_like and 2 <= c.distinct < rows / 1.2]
        ids = [c for c in ids if not name_score(c.name, "impression_id")]
        others = ("measure", "timestamp", "rating", "event")
        ids = [c for c in ids if not any(name_score(c.name, role) for role in others)]
        ids = [c for c in ids if c.labels is None]
        # a column with few values is more likely a category than a user
        best = [c for c in ids if c.distinct > _MOST_EVENTS] or ids
    taken = found.columns.get("timestamp")  # a column may have an empty name
    time = None if taken is None else file.columns[taken]
    is_number = time is not None and time.time_unit and not name_score(time.name, "timestamp")
    if not best and time is not None and is_number and time.distinct < rows / 1.2:
        # numbers in the range of times, but there is no other user
        del found.columns["timestamp"], found.why["timestamp"]
        best, found.times = [time], None
    if len(best) != 1:
        raise _no_user(file, found, best)
    _take_as_user(file, found, best[0], rule)


def _is_user_name(name: str) -> bool:
    words = words_of(name)
    return words[-1:] == ["name"] and name_score("_".join(words[:-1]), "user_id") > 0


def _take_as_user(file: TableFile, found: BehaviorColumns, column: Column, rule: str) -> None:
    each = len(file) / max(column.distinct, 1)
    found.take(
        "user_id", column, f"{rule}; {column.distinct:,} distinct values, {each:.1f} rows each"
    )


def _no_user(file: TableFile, found: BehaviorColumns, best: Sequence[Column]) -> ConfigError:
    seen = " and ".join(f"'{column.name}'" for column in best[:3])
    others = ("measure", "timestamp", "rating", "label", "event")
    left = [c for c in found.left(file) if c.filled > 0.9 and 1 < c.distinct < len(file)]
    left = [c for c in left if c.is_id_like or c.has_words]
    left = [c for c in left if not any(name_score(c.name, role) for role in others)]
    which = [option("--user_column", column.name) for column in [*best, *left][:1]]
    add = [] if best else [f"add a column of users to {file.path}, such as user_id"]
    return ConfigError(
        f"{seen} could each be the user" if best else "no column looks like the user",
        where=file.path,
        details=[file.shown],
        rule="one column names the user",
        remedy="; or ".join([*add, *(f"say which: {one}" for one in which)]),
    )


def _take_time(file: TableFile, found: BehaviorColumns) -> None:
    if "timestamp" in found.columns:
        column = file.columns[found.columns["timestamp"]]
        found.times = column.time_form or (UNKNOWN_UNIT if column.is_numeric else None)
        if found.times is not None:
            found.why["timestamp"] += f": {found.times.said}"
        return
    time, notes = find_time(found.left(file))
    found.notes += notes
    if time is not None:
        found.take("timestamp", time.column, time.why)
        found.times = time.form


def _take_target(file: TableFile, found: BehaviorColumns, *, needed: bool) -> None:
    """Find the column of what users thought of items: a rating by name, a label by name, then either by values.

    Several candidates are an error only where one is needed.
    """
    if "rating" in found.columns or "label" in found.columns:
        return
    left = found.left(file)

    def is_rating(column: Column) -> bool:
        return column.is_numeric and column.labels is None and not column.is_time

    def may_be(column: Column) -> bool:
        named = name_score(column.name, "measure") or name_score(column.name, "user_id")
        return not named and not is_id_name(column.name)

    by_values = [
        c
        for c in left
        if is_rating(c) and may_be(c) and c.filled > 0.9
        if 3 <= c.distinct <= _MOST_RATINGS and (c.numbers.abs() <= 100).all()
    ]
    for role, candidates, rule in (
        ("rating", _by_name(left, "rating", is_rating), "by its name"),
        ("label", _by_name(left, "label", lambda c: c.labels is not None), "by its name"),
        ("label", _by_name(left, "rating", lambda c: c.labels is not None), "by its name"),
        ("rating", by_values, "by its values"),
        ("label", [c for c in left if c.labels and may_be(c)], "by its values"),
    ):
        if len(candidates) > 1 and needed:
            raise ConfigError(
                " and ".join(f"'{column.name}'" for column in candidates[:3])
                + f" could each be the {role}",
                where=file.path,
                details=[file.shown],
                rule="one column says what the user thought of the item",
                remedy=f"say which: {option('--rating_column', fewest(candidates))}",
            )
        if len(candidates) == 1:
            found.take(role, candidates[0], f"{rule}; {candidates[0].span}")
            return


def _check_events(file: TableFile, found: BehaviorColumns, *, asked: bool) -> None:
    """Check that the next item can be predicted.

    Raises:
        ConfigError: If there is no time; or the user did not ask for the next item and a column could be a target.
    """
    named = any(_is_answer(column) for column in found.left(file))
    has_time = "timestamp" in found.columns
    if not asked and (named or not has_time):
        raise _no_target(file, found.left(file), has_time=has_time)
    if not has_time:
        raise ConfigError(
            "no column has times",
            where=file.path,
            details=[file.shown],
            rule="what comes next is known where rows have a time: seconds since 1970, or dates such as 2024-05-31",
            remedy="; or ".join(_ways_to_a_time(file, found)),
        )


def _ways_to_a_time(file: TableFile, found: BehaviorColumns) -> list[str]:
    numbers = [c for c in found.left(file) if c.is_numeric and not is_id_name(c.name)]
    numbers = [c for c in numbers if c.distinct > 2]
    ways = [f"say which column: {option('--time_column', c.name)}" for c in numbers[:1]]
    ways.append(f"add a column of times to {file.path}, such as timestamp")
    if answers := found.columns.keys() & {"rating", "label"}:
        ways.append(f"leave --task out to predict the {min(answers)}")
    return ways


def _is_answer(column: Column) -> bool:
    """Return whether a column is called a rating or a label; a count of clicks is none."""
    named = name_score(column.name, "rating") or name_score(column.name, "label")
    return bool(named) and column.filled > 0 and not name_score(column.name, "measure")


def _no_target(file: TableFile, left: Sequence[Column], *, has_time: bool) -> ConfigError:
    words = [column for column in left if _is_answer(column)]
    seen = f"; '{words[0].name}' holds {words[0].shown()}" if words else ""
    numbers = [c for c in left if (c.is_numeric or c.labels) and not is_id_name(c.name)]
    numbers = [c for c in numbers if c.distinct > 1 and c.filled > 0.9]
    # a price is the last to be what a user thought
    numbers.sort(key=lambda column: name_score(column.name, "measure"))
    ways = [f"say which: {option('--rating_column', c.name)}" for c in numbers[:1]]
    if has_time:
        ways.append("predict what comes next: --task next_item")
    else:
        dates = [c.name for c in left if name_score(c.name, "timestamp") and not c.is_numeric]
        asks = f"; {dates[0]} holds {file.columns[dates[0]].shown(1)}" if dates else ""
        what = "a column of ratings, or one of times, by which what comes next is predicted"
        ways.append(f"add to {file.path} {what}{asks}")
    return ConfigError(
        f"no column has ratings, or labels of 0 and 1{', and none has times' * (not has_time)}{seen}",
        where=file.path,
        details=[file.shown],
        rule="a number says what the user thought of the item: stars, or 1 for clicked and 0 for shown; "
        "events alone need a time",
        remedy="; or ".join(ways),
    )


def _take_others(file: TableFile, found: BehaviorColumns) -> None:
    """Take the first column for each of split, event and impression."""
    for column in found.left(file):
        few = column.distinct <= _MOST_EVENTS and not column.is_nested
        if few and column.distinct > 1 and set(column.texts.unique()) <= _PARTS:
            found.take("split", column, f"holds {column.shown()}")
        elif few and column.has_words and name_score(column.name, "event"):
            found.take("event", column, f"{column.distinct} kinds, such as {column.shown()}")
        elif _is_impression(column, len(file)):
            found.take("impression_id", column, f"{column.distinct:,} distinct values")


def _is_impression(column: Column, rows: int) -> bool:
    named = name_score(column.name, "impression_id") == STRONG
    return named and column.is_id_like and column.distinct < rows


def _by_name(columns: Iterable[Column], role: str, fits: Callable[[Column], bool]) -> list[Column]:
    """Return the columns with fitting values whose names match a role best.

    A column with the canonical name is the only result.
    """
    fitting = [column for column in columns if fits(column)]
    for column in fitting:
        if column.name == role:
            return [column]
    for score in (STRONG, WEAK):
        found = [column for column in fitting if name_score(column.name, role) == score]
        if found:
            return found
    return []


def _option(role: str) -> str:
    names = {"user_id": "user", "item_id": "item", "timestamp": "time", "rating": "rating"}
    return f"--{names[role]}_column"
