"""Write a FormatPlan as a configuration; comments say which format was recognised, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lit_rec.init.config_writer import flow, model_and_trainer, prefix_lines
from lit_rec.init.formats.format_plan import FormatPlan

_TEMPLATES = {"rating": "own_data", "label": "own_labels", "next_item": "own_events"}
_WHAT = {
    "rating": "What users make of items (`rating`), learned from the items' texts",
    "label": "What users choose of what is shown (`label`), learned from the items' texts",
    "next_item": "What users take next, learned from what they took before and from the items' texts",
}
_BEGIN = "        init_args:\n          begin: logistic_regression\n"


def format_config(plan: FormatPlan, path: Path, command: str) -> str:
    """Return the YAML.

    Args:
        plan: What to write.
        path: Where it will be written.
        command: The command that writes it.
    """
    what = f"The {plan.task} of a text" if plan.format.texts_alone else _WHAT[plan.task]
    lines = [
        f"# {what}. Written by `{command}`:",
        *(f"# {line}" for line in _recognised(plan)),
        "# Look it over, then:",
        f"#   lit-rec check -c {path}",
        f"#   lit-rec fit -c {path}",
        *(f"# {note}" for note in _notes(plan)),
        "seed_everything: 0",
        *_data(plan),
    ]
    rest = model_and_trainer(path.stem, _template(plan))
    if plan.format.texts_alone and plan.ratings:
        # labels begin at a closed form, ratings at their mean
        rest = rest.replace(_BEGIN, "").replace("head_rate: 1.0e-4", "head_rate: 1.0e-3")
    # a name in a comment may contain line ends; values are escaped
    return "\n".join([*(line.replace("\n", " ") for line in lines), rest])


def format_lines(plan: FormatPlan) -> list[str]:
    """Return what was recognised and chosen, for the screen."""
    counts = (
        f"{plan.behaviors:,} rows" if plan.format.texts_alone else f"{plan.behaviors:,} behaviors"
    )
    if not plan.format.texts_alone:
        counts += f", {plan.items:,} items"
    options = ", ".join(f"{name}={_shown(value)}" for name, value in plan.format.options.items())
    lines = [
        f"format     {plan.format.name}: {plan.format.why}",
        "           (--plain reads the files as plain tables)",
        f"reader     {plan.format.reader.__name__}: {options}",
        f"           {counts}",
        *(f"  text     {name}: {', '.join(columns)}" for name, columns in plan.fields.items()),
        f"task       {plan.task}",
        f"split      {type(plan.split).__name__}: {plan.split_why}",
    ]
    lines += [f"left out   {each}" for each in plan.unknown]
    return [*lines, *(f"note       {note}" for note in _notes(plan))]


def _recognised(plan: FormatPlan) -> Iterator[str]:
    yield f"recognised as {plan.format.name}: {plan.format.why};"
    yield "`--plain` of init reads the files as plain tables instead."


def _notes(plan: FormatPlan) -> list[str]:
    notes = list(plan.format.notes)
    if plan.labels:
        negative, positive = plan.labels
        notes.append(f"Assumed: {positive!r} is the positive label, {negative!r} the negative one.")
    return notes


def _template(plan: FormatPlan) -> str:
    return "own_texts" if plan.format.texts_alone else _TEMPLATES[plan.task]


def _data(plan: FormatPlan) -> Iterator[str]:
    reader, alone = plan.format.reader, plan.format.texts_alone
    module = "text_datamodule.ItemTextDataModule" if alone else "datamodule.BehaviorDataModule"
    yield "data:"
    yield f"  class_path: lit_rec.data.{module}"
    yield "  init_args:"
    yield "    reader:"
    yield f"      class_path: {reader.__module__}.{reader.__qualname__}"
    yield "      init_args:"
    for name, value in plan.format.options.items():
        yield f"        {name}: {_shown(value)}"
    yield f"    encoder: {flow(plan.encoder)}"
    yield "    text:"
    yield "      class_path: lit_rec.data.texts.template.TextTemplate"
    yield "      init_args:"
    if len(plan.fields) > 1:
        yield "        # one line per field: each is encoded apart, what many items share only once"
    fields = plan.fields if len(plan.fields) > 1 else next(iter(plan.fields.values()))
    yield f"        columns: {_shown(fields)}"
    yield from (f"        {line}" for line in prefix_lines(plan.encoder))
    counts = ", ".join(f"{name} {count:,}" for name, count in plan.parts.items())
    yield f"    # {plan.split_why}: {counts}"
    yield "    split:"
    yield f"      class_path: lit_rec.data.splits.splits.{type(plan.split).__name__}"
    shares = [name for name in ("validation", "test") if hasattr(plan.split, name)]
    if shares:
        yield "      init_args:"
    for name in shares:
        yield f"        {name}: 0.1"
    yield from _history(plan)
    yield f"    task: {plan.task}"
    if plan.unknown:
        yield from (f"    # {each}" for each in plan.unknown)
        yield "    unknown_items: drop"
    yield f"    batch_size: {plan.batch_size}"
    yield "    # enough for 99 % of the texts, by their words; `lit-rec check` counts tokens"
    yield f"    max_tokens: {plan.max_tokens}"


def _history(plan: FormatPlan) -> Iterator[str]:
    if plan.history is None:
        return
    yield "    history:"
    yield f"      class_path: lit_rec.data.history.histories.{plan.history}"
    yield "      init_args:"
    # of the next item as many as its template's user encoder has positions
    yield f"        max_length: {50 if plan.next_item else 100}"
    if plan.labels and plan.history != "GivenHistory":
        yield "        where:"
        yield "          class_path: lit_rec.data.history.histories.Where"
        yield "          init_args:"
        yield f"            labels: {flow([plan.labels[1]])}"


def _shown(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{flow(name)}: {_shown(each)}" for name, each in value.items()) + "}"
        )
    return flow(value if isinstance(value, list) else str(value))
