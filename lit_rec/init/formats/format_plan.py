"""FormatPlan: the content of a configuration for files of a known format, tried on them before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path

from lit_rec.data.splits.splits import RandomSplit, Split
from lit_rec.data.tables.cleaning import clean
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError, DataError
from lit_rec.init.formats.ready_format import ReadyFormat
from lit_rec.init.plan import batch_size, choose_split, usual_encoder
from lit_rec.init.table_files import TableFile
from lit_rec.init.text_columns import guess_text_columns


@dataclass(frozen=True)
class FormatPlan:
    """All that is needed to write a configuration.

    Args:
        format: The format.
        task: What is predicted.
        next_item: Whether this is the next item.
        ratings: Whether it is a rating.
        labels: The negative and the positive label, of two.
        fields: Name of a text field -> columns of the items.
        max_tokens: Longest text in tokens.
        split: The split.
        split_why: Why this split was chosen.
        history: Name of the history's class; None where there are no users.
        unknown: What names an item that is not in the items table.
        behaviors: How many behaviors there are.
        items: How many items.
        parts: Rows of train, val and test.
        batch_size: Rows, or sequences, of a batch.
        encoder: Folder or hub name.
    """

    format: ReadyFormat
    task: str
    next_item: bool
    ratings: bool
    labels: tuple[str, ...]
    fields: dict[str, list[str]]
    max_tokens: int
    split: Split
    split_why: str
    history: str | None
    unknown: tuple[str, ...]
    behaviors: int
    items: int
    parts: dict[str, int]
    batch_size: int
    encoder: str


def make_format_plan(
    found: ReadyFormat,
    *,
    text_columns: Sequence[str] | None = None,
    encoder: str | None = None,
    next_item: bool = False,
) -> FormatPlan:
    """Read, clean and split the tables as training would.

    Args:
        found: The format.
        text_columns: Columns of the items to read, where the user gave them.
        encoder: Folder or hub name.
        next_item: Whether the next item is predicted even if there are ratings or labels.

    Raises:
        ConfigError: If the next item is asked for, and there are no users or no order.
        DataError: If a file cannot be read or holds wrong values.
    """
    found, raw = _read(found)
    tables, cleaned = clean(raw, unknown_items="drop")
    unknown = [step for step in cleaned.steps[len(raw.dropped) :] if step.dropped]
    target = _target(found, tables, next_item=next_item)
    fields, max_tokens = _texts(found, tables, text_columns)
    template = TextTemplate(fields)
    tables.check_decoded("items", template.columns)
    template.render(tables.items)
    split, why, part = choose_split(tables, in_order=target.next_item)
    has_order = tables.ordered or "timestamp" in tables.behaviors.columns
    history = (
        "PastHistory" if has_order and not isinstance(split, RandomSplit) else "TrainingHistory"
    )
    if found.has_histories:
        history = "GivenHistory"
    parts = {name: int((part == name).sum()) for name in ("train", "val", "test")}
    sequences = tables.behaviors["user_id"].filter(part == "train").n_unique()
    return FormatPlan(
        format=found,
        task=target.task,
        next_item=target.next_item,
        ratings=target.ratings,
        labels=target.labels,
        fields=fields,
        max_tokens=max_tokens,
        split=split,
        split_why=why,
        history=None if found.texts_alone else history,
        unknown=tuple(f"{s.rule}: {s.dropped:,} of {s.of:,} {s.of_what}" for s in unknown),
        behaviors=len(raw.behaviors),
        items=len(raw.items),
        parts=parts,
        batch_size=batch_size(sequences if target.next_item else parts["train"]),
        encoder=encoder or usual_encoder(),
    )


def _read(found: ReadyFormat) -> tuple[ReadyFormat, Tables]:
    """Return the tables, and the format with the option that leaves out broken lines if there are any."""
    try:
        return found, found.reader(**found.options).read()
    except DataError:
        if "broken_lines" not in signature(found.reader).parameters:
            raise
        options = {**found.options, "broken_lines": "drop"}
        try:
            tables = found.reader(**options).read()
        except DataError:  # lines are not what is wrong
            tables = None
        if tables is None:
            raise
    broken = [
        f"{s.rule}: {s.dropped:,} of {s.of:,} {s.of_what}" for s in tables.dropped if s.dropped
    ][:1]
    notes = (*found.notes, *(f"Left out (broken_lines): {each}." for each in broken))
    return replace(found, options=options, notes=notes), tables


@dataclass(frozen=True)
class _Target:
    """What is predicted."""

    task: str
    labels: tuple[str, ...] = ()
    next_item: bool = False
    ratings: bool = False


def _target(found: ReadyFormat, tables: Tables, *, next_item: bool) -> _Target:
    """Return what is predicted: ratings, if there are any; else labels of two names; else the next item.

    Raises:
        ConfigError: If it is the next item, and there are no users, or nothing says which item is next.
    """
    behaviors = tables.behaviors
    if next_item and found.texts_alone:
        raise ConfigError(
            f"the next item, of {found.name}",
            where="--task",
            rule="the next item is one of a user's, and these texts have no users",
            remedy="leave --task out",
        )
    if not next_item and "rating" in behaviors.columns and behaviors["rating"].n_unique() > 1:
        return _Target("rating", ratings=True)
    if not next_item and "label" in behaviors.columns:
        labels = behaviors["label"].drop_nulls().unique().sort().to_list()
        if found.texts_alone or len(labels) == 2:
            return _Target("label", tuple(labels) if len(labels) == 2 else ())
    if not tables.ordered and "timestamp" not in behaviors.columns:
        leave = "; or leave --task out" if next_item and "rating" in behaviors.columns else ""
        raise ConfigError(
            f"the behaviors have no time: {found.why}",
            where="lit-rec init",
            rule="the next item is predicted from who took what, and when; without a time there have to be ratings",
            remedy="add times to the behaviors, in files of RecBole a column timestamp:float, or ratings, rating:float"
            + leave,
        )
    return _Target("next_item", next_item=True)


def _texts(
    found: ReadyFormat, tables: Tables, named: Sequence[str] | None
) -> tuple[dict[str, list[str]], int]:
    """Return the text fields, and the longest text in tokens."""
    items = TableFile(Path(next(iter(found.options.values()))).name, tables.items)
    if named is not None or not found.fields:
        guessed = guess_text_columns(items, "item_id", named)
        return guessed.fields, guessed.max_tokens
    fields, most = {}, 0
    for name, columns in found.fields.items():
        filled = [c for c in columns if c in items.columns and items.columns[c].filled > 0]
        if filled:
            fields[name] = filled
            most = max(most, guess_text_columns(items, "item_id", filled).max_tokens)
    if not fields:
        guessed = guess_text_columns(items, "item_id")
        return guessed.fields, guessed.max_tokens
    return fields, most
