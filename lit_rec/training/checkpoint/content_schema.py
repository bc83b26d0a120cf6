"""The schema of a checkpoint: the rule of each entry, and which entries must agree."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from packaging.version import InvalidVersion, Version

from lit_rec.data.texts.tokenizer_files import tokenizer_problem
from lit_rec.training.checkpoint import base_weights
from lit_rec.training.checkpoint.facts_schema import FACTS, all_of, check_agreement, vocabulary_size
from lit_rec.training.checkpoint.tensors import finite, floats, offsets, places, shaped, tensor
from lit_rec.training.checkpoint.values import (
    EntryError,
    Rule,
    entries,
    mapping,
    mapping_of,
    nothing,
    optional,
    plain,
    shown,
    text,
    texts,
    whole,
)

_MOST_COPIES = 4  # tied weights have several names


def check_checkpoint(checkpoint: Mapping[str, Any], key: str, *, where: str) -> None:
    """Check all entries of a checkpoint that inference and evaluation read.

    Args:
        checkpoint: The result of ``torch.load``, with lit_rec's content of the present format under ``key``.
        key: The name of the content's entry.
        where: The checkpoint as the user named it.

    Raises:
        CheckpointError: If an entry is absent, has a wrong type, or does not agree with another, naming it.
    """
    try:
        if "hyper_parameters" in checkpoint:
            # Lightning would put them over the user's options, classes included
            raise EntryError("hyper_parameters", "there", "not there: lit_rec stores none")
        version = "pytorch-lightning_version"  # Lightning migrates old checkpoints by it
        _version(checkpoint.get(version, "0"), version)
        _weights(checkpoint.get("state_dict"), "state_dict")
        _content(checkpoint[key], "")
    except EntryError as error:
        raise error.error(where) from error


def _version(value: Any, entry: str) -> None:
    text(value, entry)
    try:
        Version(value)
    except InvalidVersion as error:
        raise EntryError(entry, shown(value), "a version, such as 2.6.6") from error


def _weights(value: Any, entry: str) -> None:
    mapping(value, entry)
    stored: dict[int, int] = {}
    total = 0
    for name, weight in value.items():
        tensor(weight, f"{entry}.{name}")
        finite(weight, f"{entry}.{name}")
        storage = weight.untyped_storage()
        stored[storage.data_ptr()] = storage.nbytes()
        total += weight.numel() * weight.element_size()
    if total > _MOST_COPIES * sum(stored.values()):
        there = sum(stored.values())
        raise EntryError(entry, f"{total:,} bytes over {there:,}", "weights that are all stored")


def _content(value: Any, entry: str) -> None:
    _CONTENT(value, entry)
    facts, catalogue, users = value["facts"], value["catalogue"], value["users"]
    check_agreement(facts, "facts")
    if facts["backbone"] is None and _names(value["config"], "PretrainedBackbone"):
        # the encoder would be read from a folder or hub that the checkpoint names
        raise EntryError(
            "facts.backbone", "None", "the configuration of the encoder in config.model"
        )
    items, people = len(catalogue["item_id"]), len(users["user_id"])
    mapping_of(texts(size=items, gaps=True))(catalogue["columns"], "catalogue.columns")
    _entities(catalogue, "catalogue", items, facts, facts["fields"], facts["item_fields"])
    if catalogue["vectors"] is not None:
        floats([items, None])(catalogue["vectors"], "catalogue.vectors")
    _behaviors(users, "users", items)
    _template(value["template"], "template", facts["fields"])
    profiles, template = value["profiles"], value["profile_template"]
    if facts["profile_texts"]:
        _template(template, "profile_template", facts["profile_texts"])
    if not (facts["profile_texts"] or facts["user_fields"]):
        nothing(profiles, "profiles")
        return
    _PROFILES(profiles, "profiles")
    _entities(profiles, "profiles", people, facts, facts["profile_texts"], facts["user_fields"])


def _names(config: dict[str, Any] | None, kind: str) -> bool:
    """Return whether the model's configuration names a class of this name."""
    waiting: list[Any] = [(config or {}).get("model")]
    while waiting:
        held = waiting.pop()
        if isinstance(held, dict):
            waiting += held.values()
        elif isinstance(held, list | tuple):
            waiting += held
        elif isinstance(held, str) and held.rpartition(".")[2] == kind:
            return True
    return False


def _config(value: Any, entry: str) -> None:
    """Check that a configuration holds plain values; ``check_named`` checks its classes."""
    plain(value, entry)
    if value is None:
        return
    mapping(value, entry)
    for part in ("model", "data", "trainer"):
        mapping(value.get(part), f"{entry}.{part}")
    mapping(value["data"].get("init_args", {}), f"{entry}.data.init_args")


def _tokenizer(value: Any, entry: str) -> None:
    mapping(value, entry)
    if problem := tokenizer_problem(value):
        name, found, rule = problem
        raise EntryError(f"{entry}.{name}" if name else entry, found, rule)


def _any(value: Any, entry: str) -> None:
    """Accept any value: its rule depends on other entries and is checked later."""


def _entities(
    value: dict[str, Any],
    entry: str,
    rows: int,
    facts: dict[str, Any],
    fields: Sequence[str],
    fitted: Sequence[dict[str, Any]],
) -> None:
    """Check the texts and fields of items, or of users."""
    tokens, starts = value["tokens"], value["offsets"]
    places([None], vocabulary_size(facts))(tokens, f"{entry}.tokens")
    offsets(None, len(tokens))(starts, f"{entry}.offsets")
    around = len(facts["special"]["prefix"]) + len(facts["special"]["suffix"])
    longest = int((starts[1:] - starts[:-1]).max()) if len(starts) > 1 else 0
    if longest + around > facts["max_tokens"] and longest:
        problem = f"those of a text with {longest} tokens and {around} around it"
        raise EntryError(
            f"{entry}.offsets", problem, f"facts.max_tokens={facts['max_tokens']} at most"
        )
    shape = (rows, len(fields))
    places(shape, len(starts) - 1)(value["text_of_item"], f"{entry}.text_of_item")
    names = [field["column"] for field in fitted]
    mapping_of(_any, names)(value["fields"], f"{entry}.fields")
    for field in fitted:
        name = f"{entry}.fields.{field['column']}"
        _field_values(field, rows)(value["fields"][field["column"]], name)


def _field_values(field: dict[str, Any], rows: int) -> Rule:
    if field["kind"] == "number":
        return _loose([rows])
    if field["kind"] == "category":
        return places([rows, None], len(field["names"]) + 1)
    return floats([rows, field["width"]], gaps=True)


def _loose(shape: Sequence[int]) -> Rule:
    """Return the rule of numbers that may be NaN or infinite, because bins hold them too."""

    def check(value: Any, entry: str) -> None:
        tensor(value, entry, (torch.float32,))
        shaped(value, entry, shape)

    return check


def _behaviors(users: dict[str, Any], entry: str, items: int) -> None:
    """Check the users' behaviors."""
    tensor(users["item"], f"{entry}.item")
    count = users["item"].numel()
    columns: dict[str, Rule] = {
        "offsets": offsets(len(users["user_id"]), count),
        "item": places([count], items),
        "rating": floats([count], gaps=True),
        "event": places([count], len(users["events"]), gaps=True),
        "timestamp": floats([count], gaps=True),
        "label": places([count], len(users["labels"]), gaps=True),
    }
    for name, rule in columns.items():
        rule(users[name], f"{entry}.{name}")


def _template(value: Any, entry: str, fields: Collection[str]) -> None:
    """Check a text template."""
    _TEMPLATE(value, entry)
    columns = value["columns"]
    mapping_of(texts(low=1), fields)(columns, f"{entry}.columns")
    known = {column for of_field in columns.values() for column in of_field}
    for label in value["labels"]:
        if label not in known:
            raise EntryError(f"{entry}.labels", f"one of '{label[:60]}'", "labels of its columns")


_TEMPLATE = entries(
    {"columns": mapping, "labels": mapping_of(text), "separator": text}, {"prefix": text}
)
_ENTITIES: dict[str, Rule] = {
    **all_of(("tokens", "offsets", "text_of_item"), tensor),
    "fields": mapping_of(tensor),
}
_PROFILES = entries(_ENTITIES)
_CONTENT = entries(
    {
        "format": whole(),
        "versions": mapping_of(text),
        "config": _config,
        "facts": FACTS,
        "tokenizer": _tokenizer,
        "template": _TEMPLATE,
        "profile_template": optional(_TEMPLATE),
        "history_length": whole(),
        "catalogue": entries(
            {
                "item_id": texts(unique=True),
                "columns": mapping,
                **_ENTITIES,
                "vectors": _any,
            },
            {"maker": text},
        ),
        "users": entries(
            {
                "user_id": texts(unique=True),
                **all_of(("events", "labels"), texts()),
                **all_of(("offsets", "item", "rating", "event", "timestamp", "label"), tensor),
            }
        ),
        "profiles": _any,
    },
    {base_weights.ENTRY: base_weights.RULE},
)
