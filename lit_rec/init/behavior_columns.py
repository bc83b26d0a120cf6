"""What the behaviors' columns mean, besides the item: user, rating or label, event, time, part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lit_rec.errors import ConfigError, excerpt, some_of
from lit_rec.init.column_names import STRONG, WEAK, is_id_name, name_score
from lit_rec.init.columns import Column
from lit_rec.init.table_files import TableFile
from lit_rec.init.table_roles import TableRoles

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
        notes: Other things that the user should know.
        next_item: Whether the next item is predicted, not a rating or a label.
    """

    columns: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    next_item: bool = False

    def take(self, role: str, column: Column, why: str) -> None:
        """Give a column a meaning, unless another column has this meaning already."""
        if role not in self.columns:
            self.columns[role], self.why[role] = column.name, why

    def left(self, file: TableFile) -> list[Column]:
        """Return the columns without a meaning so far."""
        taken = set(self.columns.values())
        return [column for name, column in file.columns.items() if name not in taken]


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
                remedy="name one of these columns",
            )
        column = file.columns[name]
        is_label = role == "rating" and column.labels is not None
        found.take("label" if is_label else role, column, f"as {_option(role)} says")
    item = file.columns[roles.item.column]
    of_items = (
        f"{100 * roles.item.shared:.1f} % of them are in `{roles.item.key}` of {roles.items.path}"
    )
    found.take("item_id", item, f"{item.distinct:,} distinct values, {of_items}")
    _take_time(file, found)
    _take_target(file, found, needed=not next_item)
    if "user_id" not in found.columns:
        _take_user(roles, found)
    _take_others(file, found)
    found.next_item = next_item or not found.columns.keys() & {"rating", "label"}
    if found.next_item:
        _check_events(file, found, asked=next_item)
    found.columns = {role: found.columns[role] for role in _ORDER if role in found.columns}
    return found


def _take_user(roles: TableRoles, found: BehaviorColumns) -> None:
    file = roles.behaviors
    left = found.left(file)
    if roles.users is not None and roles.user is not None:
        column = file.columns[roles.user.column]
        of_users = f"`{roles.user.key}` of {roles.users.path}"
        why = f"{column.distinct:,} distinct values, {100 * roles.user.shared:.1f} % of them are in {of_users}"
        found.take("user_id", column, why)
        return
    best = _by_name(left, "user_id", lambda column: column.filled > 0.9)
    rule = "by its name"
    if not best:
        rule, rows = "by its values", len(file)
        ids = [c for c in left if c.is_id_like and 2 <= c.distinct < rows / 1.2]
        ids = [c for c in ids if not name_score(c.name, "impression_id")]
        # a column with few values is more likely a category than a user
        best = [c for c in ids if c.distinct > _MOST_EVENTS] or ids
    if len(best) != 1:
        seen = " and ".join(f"'{column.name}'" for column in best[:3])
        raise ConfigError(
            f"{seen} could each be the user" if best else "no column looks like the user",
            where=file.path,
            details=[file.shown],
            rule="one column names the user",
            remedy=f"say which: --user_column {(best or left)[0].name if best or left else 'NAME'}",
        )
    column = best[0]
    each = len(file) / max(column.distinct, 1)
    found.take(
        "user_id", column, f"{rule}; {column.distinct:,} distinct values, {each:.1f} rows each"
    )


def _take_time(file: TableFile, found: BehaviorColumns) -> None:
    if "timestamp" in found.columns:
        return
    left = found.left(file)

    def is_time(column: Column) -> bool:
        return column.time_unit is not None or column.has_dates

    candidates = [c for c in left if is_time(c) and name_score(c.name, "timestamp")]
    rule = "by its name and values"
    if not candidates:
        candidates, rule = [c for c in left if is_time(c)], "by its values"
    if not candidates:
        # a time in another unit, such as weeks
        named = [c for c in left if name_score(c.name, "timestamp") == STRONG]
        candidates, rule = [c for c in named if c.is_numeric], "by its name"
        for column in [c for c in named if not c.is_numeric][:1]:
            found.notes.append(
                f"`{column.name}`, since {column.shown(2)} are neither seconds since 1970 "
                "nor ISO dates such as 2024-05-31"
            )
    if candidates:
        column = max(candidates, key=lambda c: c.distinct)
        others = [c.name for c in candidates if c is not column]
        kind = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
        what = "dates" if column.has_dates else kind[column.time_unit or "s"]
        rising = ", rising from row to row" if column.never_falls else ""
        also = f"; not used: {', '.join(others)}" if others else ""
        found.take("timestamp", column, f"{rule}: {what}{rising}, such as {column.shown(1)}{also}")


def _take_target(file: TableFile, found: BehaviorColumns, *, needed: bool) -> None:
    """Find the column of what users thought of items: a rating by name, a label by name, then either by values.

    Several candidates are an error only where one is needed.
    """
    if "rating" in found.columns or "label" in found.columns:
        return
    left = found.left(file)

    def is_rating(column: Column) -> bool:
        return column.is_numeric and column.labels is None and column.time_unit is None

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
                remedy=f"say which: --rating_column {min(candidates, key=lambda c: c.distinct).name}",
            )
        if len(candidates) == 1:
            found.take(role, candidates[0], f"{rule}; {_span(candidates[0])}")
            return


def _check_events(file: TableFile, found: BehaviorColumns, *, asked: bool) -> None:
    """Check that the next item can be predicted.

    Raises:
        ConfigError: If there is no time; or the user did not ask for the next item and a column could be a target.
    """
    could_be = [c for c in found.left(file) if _says_something(c)]
    if not asked and (could_be or "timestamp" not in found.columns):
        raise _no_target(file, found.left(file))
    if "timestamp" not in found.columns:
        raise ConfigError(
            "no column has times",
            where=file.path,
            details=[file.shown],
            rule="what comes next is known where rows have a time: seconds since 1970, or dates such as 2024-05-31",
            remedy="say which column: --time_column NAME",
        )


def _says_something(column: Column) -> bool:
    named = name_score(column.name, "rating") or name_score(column.name, "label")
    counts = column.is_numeric or column.labels is not None
    return bool(named) or (counts and not is_id_name(column.name))


def _span(column: Column) -> str:
    if column.labels is not None:
        positive = (column.texts == column.labels[1]).mean()
        return f"{column.labels[1]!r} in {100 * float(positive or 0):.1f} % of its rows, else {column.labels[0]!r}"  # type: ignore[arg-type]
    numbers = column.numbers.to_numpy()
    return f"{column.distinct:,} distinct numbers from {numbers.min():g} to {numbers.max():g}"


def _no_target(file: TableFile, left: Iterable[Column]) -> ConfigError:
    words = [c for c in left if name_score(c.name, "label") or name_score(c.name, "rating")]
    seen = f"; '{words[0].name}' holds {words[0].shown()}" if words else ""
    return ConfigError(
        f"no column has ratings, or labels of 0 and 1{seen}",
        where=file.path,
        details=[file.shown],
        rule="a number says what the user thought of the item: stars, or 1 for clicked and 0 for shown; "
        "events alone need a time",
        remedy="say which column: --rating_column NAME, or --time_column NAME; "
        "or predict what comes next: --task next_item",
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
