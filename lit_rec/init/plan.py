"""Plan: the content of a configuration for two tables, tried on them before it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import GivenSplit, LeaveLastOutSplit, RandomSplit, Split, TimeSplit
from lit_rec.data.tables.cleaning import clean
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError
from lit_rec.init.behavior_columns import BehaviorColumns, guess_behavior_columns
from lit_rec.init.event_kinds import purchases
from lit_rec.init.field_columns import FieldColumns, guess_fields
from lit_rec.init.option_words import meant
from lit_rec.init.table_files import TableFile
from lit_rec.init.table_roles import TableRoles, find_roles
from lit_rec.init.text_columns import TextColumns, guess_text_columns

_LOCAL_ENCODER = "checkpoints/assets/all-MiniLM-L6-v2"
_HUB_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
_MULTILINGUAL = "checkpoints/assets/multilingual-e5-small"
_FOREIGN = 0.3  # share of texts with letters that English does not have
_STEPS = 30  # least steps of an epoch, where there are enough rows
_BATCHES = (16, 512)


@dataclass(frozen=True)
class Plan:
    """All that is needed to write a configuration.

    Args:
        roles: The files.
        found: Meaning of the behaviors' columns.
        texts: Fields of an item's text.
        reader: Options of ``TableReader``.
        split: The split.
        split_why: Why this split was chosen.
        history: Name of the history's class.
        unknown: How many behaviors have an item that is not in the items table.
        parts: Rows of train, val and test.
        sequences: Users of the training rows.
        encoder: Folder or hub name.
        dropped: What the reader left out.
        item_fields: Other columns of the items.
        user_fields: Columns of the users.
        events: Kinds of events that count, of several; empty: all.
    """

    roles: TableRoles
    found: BehaviorColumns
    texts: TextColumns
    reader: dict[str, Any]
    split: Split
    split_why: str
    history: str
    unknown: int
    parts: dict[str, int]
    sequences: int
    encoder: str
    item_fields: FieldColumns
    user_fields: FieldColumns
    events: tuple[str, ...]
    dropped: tuple[CleaningStep, ...] = ()

    @property
    def may_not_know(self) -> bool:
        """Whether many texts may be in a language that the encoder does not know, by letters and by its name."""
        return self.texts.foreign > _FOREIGN and not re.search("multilingual|xlm|e5", self.encoder)

    @property
    def labels(self) -> tuple[str, str] | None:
        """The negative and the positive label; None where rows have no labels."""
        name = self.found.columns.get("label")
        return None if name is None else self.roles.behaviors.columns[name].labels

    @property
    def batch_size(self) -> int:
        """Rows (or sequences) of a batch: the usual number, fewer where an epoch would have only a few steps."""
        return batch_size(self.sequences if self.found.next_item else self.parts["train"])


def make_plan(
    files: Sequence[TableFile],
    *,
    behaviors: str | None = None,
    columns: Mapping[str, str] | None = None,
    text_columns: Sequence[str] | None = None,
    encoder: str | None = None,
    next_item: bool = False,
) -> Plan:
    """Guess, then read, clean and split the tables as training would.

    Args:
        files: Two or three tables.
        behaviors: The file that holds the behaviors, where the user gave it.
        columns: Canonical name -> column of the behaviors, where the user gave it.
        text_columns: Columns of the items to read, where the user gave them.
        encoder: Folder or hub name.
        next_item: Whether the next item is predicted even if there are ratings or labels.

    Raises:
        ConfigError: If something cannot be guessed; the error names the option that gives it.
        DataError: If a table cannot be read or holds wrong values.
    """
    names = [name for file in files for name in file.columns]
    named = {role: meant(name, names) for role, name in (columns or {}).items()}
    roles = find_roles(
        files,
        behaviors=behaviors,
        item_column=named.get("item_id"),
        user_column=named.get("user_id"),
    )
    found = guess_behavior_columns(roles, named, next_item=next_item)
    texts = guess_text_columns(roles.items, roles.item.key, text_columns)
    _check_canonical(roles.behaviors, found)
    options = _reader_options(files, roles, found)
    tables = TableReader(**options).read()
    known = tables.behaviors["item_id"].is_in(tables.items["item_id"].implode())
    dropped = tables.dropped
    tables, _ = clean(tables, unknown_items="drop")
    tables.check_decoded("items", [name for names in texts.fields.values() for name in names])
    TextTemplate(texts.fields).render(tables.items)
    split, why, part = choose_split(tables, in_order=found.next_item)
    has_time = "timestamp" in tables.behaviors.columns
    past = has_time and not isinstance(split, RandomSplit)
    train = tables.behaviors.filter(part == "train")
    of_items = {roles.item.key, *(name for names in texts.fields.values() for name in names)}
    seen = tables.items.filter(pl.col("item_id").is_in(train["item_id"].implode()))
    user_fields = FieldColumns()
    if roles.users is not None and roles.user is not None and tables.users is not None:
        known_users = tables.users.filter(pl.col("user_id").is_in(train["user_id"].implode()))
        user_fields = guess_fields(roles.users, {roles.user.key}, known_users)
    events = purchases(tables.behaviors, part) if found.next_item else ()
    if events:
        train = train.filter(pl.col("event").is_in(events))
    return Plan(
        roles=roles,
        found=found,
        texts=texts,
        reader=options,
        split=split,
        split_why=why,
        history="PastHistory" if past else "TrainingHistory",
        unknown=int((~known).sum()),
        parts={name: int((part == name).sum()) for name in ("train", "val", "test")},
        sequences=train["user_id"].n_unique(),
        encoder=encoder or usual_encoder(foreign=texts.foreign > _FOREIGN),
        dropped=dropped,
        item_fields=guess_fields(roles.items, of_items, seen),
        user_fields=user_fields,
        events=events,
    )


def _check_canonical(file: TableFile, found: BehaviorColumns) -> None:
    """Refuse what the reader would take by its name, and cannot read."""
    for role, wanted in (("rating", "numbers"), ("timestamp", "times")):
        column = file.columns.get(role)
        if column is None or role in {*found.columns, *found.columns.values()}:
            continue
        if column.filled and not column.is_numeric:
            raise ConfigError(
                f"'{role}' holds {column.shown()}",
                where=file.path,
                rule=f"a column that is called {role} has {wanted}: the reader takes it by its name",
                remedy=f"write {wanted} there, or rename it, such as to {role}_text",
            )


def _reader_options(
    files: Sequence[TableFile], roles: TableRoles, found: BehaviorColumns
) -> dict[str, Any]:
    """Return the options of ``TableReader`` that are not its defaults; columns with canonical names need no entry."""
    options: dict[str, Any] = {"behaviors": roles.behaviors.path, "items": roles.items.path}
    mapping = {role: name for role, name in found.columns.items() if role != name}
    if mapping:
        options["behavior_columns"] = mapping
    if roles.item.key != "item_id":
        options["item_columns"] = {"item_id": roles.item.key}
    if roles.users is not None and roles.user is not None:
        options["users"] = roles.users.path
        if roles.user.key != "user_id":
            options["user_columns"] = {"user_id": roles.user.key}
    delimiters = {file.delimiter for file in files if file.delimiter}
    if delimiters:
        options["delimiter"] = delimiters.pop()
    options |= _cell_options(roles, found)
    return options | _time_options(found)


def _time_options(found: BehaviorColumns) -> dict[str, Any]:
    times = found.times
    if times is None or "timestamp" not in found.columns:
        return {}
    options: dict[str, Any] = {}
    if times.unit not in (None, "s"):
        options["time_unit"] = times.unit
    if times.day_first is not None:
        options["day_first"] = times.day_first
    if times.unknown:
        options["unknown_times"] = list(times.unknown)
    return options


def _cell_options(roles: TableRoles, found: BehaviorColumns) -> dict[str, Any]:
    """Return the options of ``TableReader`` that say how the files' cells are read."""
    files = {"behavior": roles.behaviors, "item": roles.items, "user": roles.users}
    options: dict[str, Any] = {
        f"{name}_names": list(file.names) for name, file in files.items() if file and file.names
    }
    if any(_has_spaces(values) for values in _ids(roles, found)):
        options["strip_ids"] = True
    return options | roles.behaviors.options


def _ids(roles: TableRoles, found: BehaviorColumns) -> Iterator[pl.Series]:
    """Yield the columns that join the tables, and the users, as they are in the files."""
    yield roles.items.frame[roles.item.key]
    for role in ("item_id", "user_id"):
        yield roles.behaviors.frame[found.columns[role]]
    if roles.users is not None and roles.user is not None:
        yield roles.users.frame[roles.user.key]


def _has_spaces(values: pl.Series) -> bool:
    return values.dtype == pl.String and bool((values != values.str.strip_chars()).any())


def choose_split(tables: Tables, *, in_order: bool) -> tuple[Split, str, pl.Series]:
    """Return a split, why it was chosen, and the part of each row: given parts, else by time or order, else at random.

    Args:
        tables: The tables.
        in_order: Whether the order of rows matters, so that they must not be drawn at random.

    Raises:
        ConfigError: If it matters, and times cannot be divided.
    """
    behaviors = tables.behaviors
    if tables.ordered and not {"split", "timestamp"} & set(behaviors.columns):
        split: Split = LeaveLastOutSplit()
        why = "each user's last row tests, the one before it validates"
        return split, why, split.assign(behaviors, ordered=True)
    if "split" in behaviors.columns:
        split = GivenSplit()
        return split, "the parts that the table gives", split.assign(behaviors)
    why = "there is no time to split by: rows are drawn"
    if "timestamp" in behaviors.columns:
        split = TimeSplit()
        try:
            part = split.assign(behaviors)
        except ConfigError as error:
            if in_order:
                raise ConfigError(
                    error.problem,
                    where="times",
                    rule=error.rule,
                    remedy="add behaviors of other times: the newest ones validate and test",
                ) from error
            times = behaviors["timestamp"].n_unique()
            many = "one time" if times == 1 else f"{times:,} distinct times"
            why = f"{many} cannot be divided in these shares: rows are drawn"
        else:
            why = "the newest 10 % of all rows test, the 10 % before them validate"
            return split, why, part
    split = RandomSplit()
    return split, why, split.assign(behaviors)


def batch_size(count: int) -> int:
    """Return the usual batch size, or a smaller one where an epoch of ``count`` rows would have only a few steps.

    Example:
        >>> batch_size(100_000), batch_size(1000)
        (512, 32)
    """
    low, high = _BATCHES
    return next((2**k for k in range(9, 3, -1) if 2**k <= min(count // _STEPS, high)), low)


def usual_encoder(*, foreign: bool = False) -> str:
    """Return the encoder where the user named none: a folder that tools/fetch_assets.py writes, else the hub's.

    Args:
        foreign: Whether many texts have letters that English does not have. Then the encoder of many languages is taken
            if it is there.
    """
    if foreign and Path(_MULTILINGUAL).is_dir():
        return _MULTILINGUAL
    return _LOCAL_ENCODER if Path(_LOCAL_ENCODER).is_dir() else _HUB_ENCODER


def prefix_of(encoder: str) -> str:
    """Return the text that an encoder wants before each text, by its name.

    Example:
        >>> [prefix_of(name) for name in ("intfloat/e5-base-v2", "assets/multilingual-e5-small", "base-5")]
        ['query: ', 'query: ', '']
    """
    words = re.split(r"[-_]", Path(encoder).name.lower())
    return "query: " if "e5" in words and "instruct" not in words else ""
