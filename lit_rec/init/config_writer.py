"""Write a Plan as a configuration; comments say what was guessed, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from lit_rec.init.field_columns import FieldColumns
from lit_rec.init.plan import Plan, prefix_of

_PLAIN = re.compile(r"[^\W\d][\w./ -]*(?<! )|[./]+[\w./-]+")
_LISTED = 12
# words that YAML does not read as text
_TAKEN = ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf")


# options of the reader that say how tables are read, and why they are written
_READING = {
    "behavior_names": "the file has no header: names of its columns",
    "item_names": "the file has no header: names of its columns",
    "user_names": "the file has no header: names of its columns",
    "strip_ids": "spaces around ids are no part of them",
    "decimal": "numbers have decimal commas",
    "missing_values": "these stand for a missing value, as --missing_values says",
    "invalid_rows": "as --invalid_rows says",
}


def model_and_trainer(name: str, template: str = "own_data") -> str:
    """Return the sections ``model`` and ``trainer`` of a shipped configuration, with comments.

    The template in this folder equals the file in configs/; a test compares them.

    Args:
        name: Name of the run's folder.
        template: ``own_data`` for ratings, ``own_labels`` for two labels, ``own_events`` for the next item,
            ``own_texts`` for texts without users.
    """
    text = (files("lit_rec.init") / f"{template}.yaml").read_text(encoding="utf-8")
    section = text[text.index("\nmodel:\n") + 1 :]
    return section.replace(f"name: {template}\n", f"name: {flow(name)}\n")


def config_text(plan: Plan, path: Path, command: str) -> str:
    """Return the YAML.

    Args:
        plan: What to write.
        path: Where it will be written.
        command: The command that writes it.
    """
    lines = [*_head(plan, path, command), *_data(plan)]
    template = "own_labels" if plan.labels else "own_data"
    rest = model_and_trainer(path.stem, "own_events" if plan.found.next_item else template)
    # a name in a comment may contain line ends; values are escaped
    return "\n".join([*(line.replace("\n", " ") for line in lines), rest])


def guesses(plan: Plan) -> list[str]:
    """Return a line for each guess, for the screen."""
    roles, found = plan.roles, plan.found
    lines = [f"behaviors  {roles.behaviors.path}: {len(roles.behaviors):,} rows"]
    lines += [f"  {role:<13}{name}: {found.why[role]}" for role, name in found.columns.items()]
    lines += [f"items      {roles.items.path}: {len(roles.items):,} rows, key {roles.item.key}"]
    lines += [f"  {'text':<13}{name}: {why}" for name, why in plan.texts.why.items()]
    lines += [
        f"  {'not read':<13}{f.column}: {f.why} (proposed as item_fields)"
        for f in plan.item_fields.fields
    ]
    if roles.users is not None and roles.user is not None:
        lines += [f"users      {roles.users.path}: {len(roles.users):,} rows, key {roles.user.key}"]
        lines += [f"  {'field':<13}{f.column}: {f.why}" for f in plan.user_fields.fields]
    lines += [f"split      {type(plan.split).__name__}: {plan.split_why}"]
    if plan.unknown:
        lines.append(f"unknown    {_unknown(plan)}: left out")
    for step in plan.dropped:
        if step.dropped:
            lines.append(
                f"{step.done:<11}{step.dropped:,} of {step.of:,} {step.of_what}: {step.rule}, such as {step.example}"
            )
    return [*lines, *(f"note       {note}" for note in _notes(plan))]


def _head(plan: Plan, path: Path, command: str) -> Iterator[str]:
    what = "What users take next, learned from what they took before and from the items' texts"
    if not plan.found.next_item:
        target = plan.found.columns["label" if plan.labels else "rating"]
        what = f"What users make of items (`{target}`), learned from the items' texts"
    yield f"# {what}. Written by `{command}`:"
    yield "# comments say what was guessed, and from what. Look them over, then:"
    yield f"#   lit-rec check -c {path}"
    yield f"#   lit-rec fit -c {path}"
    for note in _notes(plan):
        yield f"# {note}"
    yield "seed_everything: 0"


def _notes(plan: Plan) -> list[str]:
    notes = [f"{note}." for note in plan.found.notes]
    if plan.found.times is not None and plan.found.times.note:
        notes.append(f"{plan.found.times.note}.")
    if plan.found.unused:
        notes.append(f"Not used: {_listed(plan.found.unused)}.")
    if plan.item_fields.unused:
        notes.append(f"Not used of {plan.roles.items.path}: {_listed(plan.item_fields.unused)}.")
    notes += _users_notes(plan)
    if plan.events:
        notes.append(
            f"{' and '.join(plan.events)} of `{plan.found.columns['event']}` is predicted (data.target_events); "
            "other events are in histories, and what was only viewed may still be recommended."
        )
    if plan.labels:
        negative, positive = plan.labels
        notes.append(
            f"Assumed: {positive!r} of `{plan.found.columns['label']}` is what a user chose, "
            f"{negative!r} what was shown and left."
        )
    if plan.may_not_know:
        notes.append(
            "Assumed: the encoder knows the language; many texts have letters that English does not have "
            "(data.encoder). `tools/fetch_assets.py multilingual-e5-small` brings one of 100 languages."
        )
    return notes


def _listed(names: Sequence[str]) -> str:
    """Return the first dozen of many columns."""
    return ", ".join(names[:_LISTED]) + ", ..." * (len(names) > _LISTED)


def _users_notes(plan: Plan) -> Iterator[str]:
    users, unused = plan.roles.users, plan.user_fields.unused
    if users is not None and not plan.user_fields.fields:
        yield f"Not used: {users.path}, since none of its columns can be a field: {_listed(unused) or 'there is none'}."
    elif users is not None and unused:
        yield f"Not used of {users.path}: {_listed(unused)}."
    if plan.roles.left is not None:
        yield (
            f"Not used: {plan.roles.left.path}, since no column of {plan.roles.behaviors.path} "
            "holds users that stand once each in it."
        )


def _data(plan: Plan) -> Iterator[str]:
    yield "data:"
    yield "  class_path: lit_rec.data.datamodule.BehaviorDataModule"
    yield "  init_args:"
    yield "    reader:"
    yield "      class_path: lit_rec.data.readers.plain.TableReader"
    yield "      init_args:"
    for line in _reader(plan):
        yield f"        {line}"
    yield f"    encoder: {flow(plan.encoder)}"
    yield "    text:"
    yield "      class_path: lit_rec.data.texts.template.TextTemplate"
    yield "      init_args:"
    for line in _texts(plan):
        yield f"        {line}"
    if plan.item_fields.fields:
        yield "    # other columns of the items; to read them too, take the signs `#` away:"
        yield from (f"    # {line}" for line in _fields("item_fields", plan.item_fields))
    if plan.user_fields.fields:
        yield from (f"    {line}" for line in _fields("user_fields", plan.user_fields))
    counts = ", ".join(f"{name} {count:,}" for name, count in plan.parts.items())
    yield f"    # {plan.split_why}: {counts}"
    yield "    split:"
    yield f"      class_path: lit_rec.data.splits.splits.{type(plan.split).__name__}"
    yield "      init_args:"
    yield "        validation: 0.1"
    if hasattr(plan.split, "test"):
        yield "        test: 0.1"
    yield from _history(plan)
    if plan.unknown:
        yield f"    # {_unknown(plan)}"
        yield "    unknown_items: drop"
    yield f"    batch_size: {plan.batch_size}"
    yield "    # enough for 99 % of the texts, by their words; `lit-rec check` counts tokens"
    yield f"    max_tokens: {plan.texts.max_tokens}"


def _fields(option: str, columns: FieldColumns) -> Iterator[str]:
    yield f"{option}:"
    for one in columns.fields:
        room = "number" if one.kind == "NumberField" else "category"
        options = "".join(f", {name}: {json.dumps(value)}" for name, value in one.options.items())
        yield f"  - class_path: lit_rec.data.fields.{room}.{one.kind}"
        yield f"    init_args: {{column: {flow(one.column)}{options}}}"


def _history(plan: Plan) -> Iterator[str]:
    past = "a row sees what its user did before"
    free = "without an order in time a row sees the user's other training rows"
    chosen = f"; rows of label {plan.labels[1]!r} count" if plan.labels else ""
    yield f"    # {past if plan.history == 'PastHistory' else free}{chosen}"
    yield "    history:"
    yield f"      class_path: lit_rec.data.history.histories.{plan.history}"
    yield "      init_args:"
    # of the next item as many as its template's user encoder has positions
    yield f"        max_length: {50 if plan.found.next_item else 100}"
    if "event" in plan.found.columns and plan.found.next_item and not plan.events:
        yield f"        # events of every kind count; of one kind alone: where: {{events: [{_an_event(plan)}]}}"
    if plan.labels:
        yield "        where:"
        yield "          class_path: lit_rec.data.history.histories.Where"
        yield "          init_args:"
        yield f"            labels: {flow([plan.labels[1]])}"
    if plan.labels or plan.found.next_item:
        yield f"    task: {'next_item' if plan.found.next_item else 'label'}"
    if plan.events:
        yield "    # of these events the item is predicted, from events of every kind before"
        yield f"    target_events: {flow(list(plan.events))}"


def _an_event(plan: Plan) -> str:
    column = plan.roles.behaviors.columns[plan.found.columns["event"]]
    return flow(column.texts[0])


def _unknown(plan: Plan) -> str:
    total = f"{len(plan.roles.behaviors):,}"
    return f"{plan.unknown:,} of {total} behaviors name an item that {plan.roles.items.path} does not have"


def _reader(plan: Plan) -> Iterator[str]:
    roles, options = plan.roles, plan.reader
    canonical = [n for n in plan.found.columns if n not in options.get("behavior_columns", {})]
    yield f"behaviors: {flow(options['behaviors'])}"
    yield f"items: {flow(options['items'])}"
    if "users" in options:
        yield f"users: {flow(options['users'])}"
    for name in canonical:
        yield f"# `{name}`: {plan.found.why[name]}"
    yield from _mapping("behavior_columns", options.get("behavior_columns", {}), plan.found.why)
    key = f"each of its values stands once in {roles.items.path}"
    yield from _mapping("item_columns", options.get("item_columns", {}), {"item_id": key})
    yield from _mapping("user_columns", options.get("user_columns", {}), {})
    if options.get("time_unit") == "unknown":
        yield "# these numbers are an order, not dates; d if they are days since 1970"
    for name in ("delimiter", "time_unit", "day_first", "unknown_times"):
        if name in options:
            yield f"{name}: {options[name] if name == 'time_unit' else json.dumps(options[name])}"
    for name, why in _READING.items():
        if name in options:
            yield f"# {why}"
            value = options[name]
            yield f"{name}: {'true' if value is True else flow(value)}"


def _mapping(option: str, columns: Mapping[str, str], why: Mapping[str, str]) -> Iterator[str]:
    if columns:
        yield f"{option}:"
    for role, name in columns.items():
        if role in why:
            yield f"  # `{name}`: {why[role]}"
        yield f"  {role}: {flow(name)}"


def _texts(plan: Plan) -> Iterator[str]:
    for name, why in plan.texts.why.items():
        yield f"# `{name}`: {why}"
    fields = plan.texts.fields
    if len(fields) == 1:
        yield f"columns: {flow(next(iter(fields.values())))}"
    else:
        yield "# one line per field: each is encoded apart, what many items share only once"
        yield "columns:"
        for name, columns in fields.items():
            yield f"  {flow(name)}: {flow(columns)}"
    yield from prefix_lines(plan.encoder)


def prefix_lines(encoder: str) -> Iterator[str]:
    """Yield the option of the text template that an encoder wants, if it wants one."""
    if prefix := prefix_of(encoder):
        yield "# as E5 encoders were pretrained, where texts are compared with each other"
        yield f"prefix: {json.dumps(prefix)}"


def flow(value: Any) -> str:
    """Return a string or a list of strings as YAML on one line.

    Example:
        >>> print(flow(["movieId", "5 stars", "yes", "étoiles"]))
        [movieId, "5 stars", "yes", étoiles]
    """
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _TAKEN
    return str(value) if is_plain else json.dumps(value, ensure_ascii=False)
