"""The schema of Facts as a checkpoint stores them: the rule of each fact, and which facts must agree."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from lit_rec.data.targets.registry import target_rule, task_names
from lit_rec.models.text.encoder_config import encoder_problem
from lit_rec.training.checkpoint.values import (
    LARGEST,
    EntryError,
    Rule,
    entries,
    flag,
    list_of,
    mapping,
    number,
    numbers,
    one_of,
    optional,
    plain,
    text,
    texts,
    whole,
)


def check_agreement(facts: dict[str, Any], entry: str) -> None:
    """Check that facts agree with one another."""
    items, names = len(facts["item_ids"]), len(facts["labels"])
    for name in ("item_bias", "item_log_frequency"):
        numbers(sizes=(0, items))(facts[name], f"{entry}.{name}")
    numbers(sizes=(names,), counts=True)(facts["label_counts"], f"{entry}.label_counts")
    if target_rule(facts["task"]).has_labels and names < 2:
        raise EntryError(f"{entry}.labels", f"a list of {names}", "two or more for this task")
    if facts["rating_low"] > facts["rating_high"]:
        low, high = facts["rating_low"], facts["rating_high"]
        raise EntryError(f"{entry}.rating_low", f"{low:g}, above {high:g}", "at most rating_high")
    for name in ("item_fields", "user_fields"):
        columns = [field["column"] for field in facts[name]]
        texts(unique=True)(columns, f"{entry}.{name} (column)")
    special, vocabulary = facts["special"], vocabulary_size(facts)
    around = {"prefix": special["prefix"], "suffix": special["suffix"], "pad": [special["pad"]]}
    for name, tokens in around.items():
        for token in tokens:
            whole(0, vocabulary - 1)(token, f"{entry}.special.{name}")


def vocabulary_size(facts: dict[str, Any]) -> int:
    """Return the number of tokens that the encoder knows, if its configuration has it."""
    size = (facts["backbone"] or {}).get("vocab_size")
    return size if isinstance(size, int) and size > 0 else LARGEST


def all_of(names: Sequence[str], rule: Rule) -> dict[str, Rule]:
    """Return one rule for several entries."""
    return dict.fromkeys(names, rule)


def _field(value: Any, entry: str) -> None:
    """Check a fitted field, which has one of three kinds."""
    mapping(value, entry)
    kind = value.get("kind")
    one_of(*_FIELDS)(kind, f"{entry}.kind")
    entries({"column": text, "kind": text, **_FIELDS[kind]})(value, entry)
    edges = value.get("edges", ())
    if any(after <= before for before, after in pairwise(edges)):
        raise EntryError(f"{entry}.edges", "out of order", "increasing numbers")
    if value.get("separator") == "":
        raise EntryError(f"{entry}.separator", "empty", "a text such as '|', or none")


def _backbone(value: Any, entry: str) -> None:
    plain(value, entry)
    if value is None:
        return
    mapping(value, entry)
    if problem := encoder_problem(value):
        name, found, rule = problem
        raise EntryError(f"{entry}.{name}", found, rule)


_FIELDS: dict[str, dict[str, Rule]] = {
    "number": {"edges": numbers(low=2)},
    "category": {"separator": optional(text), "names": texts(low=1, unique=True)},
    "vector": {"width": whole(1)},
}


def _task(value: Any, entry: str) -> None:
    one_of(*task_names())(value, entry)  # looked up late: a user's own modules register tasks


# the input of Facts.from_plain; check_agreement comes after it
FACTS = entries(
    {
        "task": _task,
        **all_of(("rating_mean", "rating_low", "rating_high"), number),
        **all_of(("events", "user_ids", "item_ids", "labels"), texts(unique=True)),
        "fields": texts(unique=True),
        "max_tokens": whole(1),
        "special": entries(
            {"prefix": list_of(whole()), "suffix": list_of(whole()), "pad": whole()},
            {"mask": optional(whole())},  # from version 0.2.0 on
        ),
        **all_of(("item_bias", "item_log_frequency"), numbers()),
        "label_counts": numbers(counts=True),
        **all_of(("item_fields", "user_fields"), list_of(_field)),
        "profile_texts": texts(unique=True),
        "history_labels": flag,
        "backbone": _backbone,
    },
    {"target_events": texts(unique=True)},  # from version 0.2.0 on
)
