"""Options of a checkpoint: which of them an evaluation uses, and which the user may replace."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning import LightningDataModule, LightningModule, Trainer

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.data.fields.field import Field, FittedField
from lit_rec.errors import ConfigError
from lit_rec.files.existing import is_there
from lit_rec.training.checkpoint.trusted_classes import check_named, is_number

CONFIG_PARTS = ("seed_everything", "model", "data", "trainer")
# options of the Trainer that write, run other code or are import paths
_OF_THE_RUN = ("logger", "callbacks", "profiler", "plugins", "default_root_dir", "model_registry")
_SHOWN = 60
DEFAULT_CACHE = ".lit_rec_cache"  # of a datamodule, in the folder that a command runs in
_WORD = re.compile(r"[\w:,-]+")  # cpu, 16-mixed, 0,1


def without_run_parts(stored: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only training uses: a test writes next to its checkpoint, not into a new run folder."""
    config = {k: v for k, v in stored.items() if k in CONFIG_PARTS}
    config["trainer"] = {**config.get("trainer", {}), "logger": False, "callbacks": None}
    return config


def evaluated_config(
    stored: dict[str, Any], path: Path, trust: Sequence[str], *, model: type[LightningModule]
) -> dict[str, Any]:
    """Return what an evaluation uses of the configuration in a checkpoint, which a stranger may have written.

    Model and data are used if they name only parts of lit_rec and trusted modules. Of the Trainer, numbers and words
    are used; a logger, a profiler, plugins and folders are not. The stored cache folder is used only if it already
    holds a cache of lit_rec.

    Args:
        stored: The configuration in the checkpoint.
        path: The checkpoint.
        trust: Further modules that may be named.
        model: The class whose options ``model`` holds.

    Raises:
        CheckpointError: If something else is named, or ``lit-rec fit`` stores no such configuration.
    """
    config: dict[str, Any] = {part: stored[part] for part in ("model", "data") if part in stored}
    check_named(config, trust, f"--ckpt_path {path}", model=model)
    data = config.get("data")
    if isinstance(data, dict):
        options = data.get("init_args") or {}
        folder = cache_of_checkpoint(options.get("cache_folder"), path)
        config["data"] = {**data, "init_args": {**options, "cache_folder": folder}}
    known = inspect.signature(Trainer).parameters.keys() - set(_OF_THE_RUN)
    trainer = stored.get("trainer")
    options = trainer.items() if isinstance(trainer, dict) else ()
    config["trainer"] = {name: v for name, v in options if name in known and _is_plain(v)}
    config["trainer"] |= {"logger": False, "callbacks": None}
    if isinstance(seed := stored.get("seed_everything"), int):
        config["seed_everything"] = seed
    return config


def _is_plain(value: Any) -> bool:
    """Return whether a value holds nothing that a parser would import, look up or read."""
    if type(value) is list:
        return all(type(entry) is int for entry in value)
    if type(value) is str:
        return is_number(value) or (bool(_WORD.fullmatch(value)) and not is_there(value))
    return value is None or type(value) in (bool, int, float)


def refuse_other_model(asked: Any, stored: Any, model: type, *, moved: bool = False) -> None:
    """Refuse model options that differ from the checkpoint's; one that its version had not counts as the default.

    Args:
        asked: The options as the parser took them: its classes are imported.
        stored: Those in the checkpoint.
        model: The class that takes them.
        moved: Whether the encoder's folder may be another, because its weights are compared.

    Raises:
        ConfigError: If they differ, naming both values.
    """
    whole = _with_newer_options(stored, asked)
    if isinstance(whole, dict) and isinstance(asked, dict):
        whole = {**_defaults(model, asked), **whole}
    clash = [
        f"model.{name}: {repr(a)[:_SHOWN]} asked, {repr(s)[:_SHOWN]} in the checkpoint"
        for name, a, s in _differences(asked, whole)
        if not (moved and name.endswith("backbone.init_args.name")) and name != "start_from"
    ]
    if clash:
        raise ConfigError(
            "the model asked for is not the checkpoint's",
            where="--ckpt_path",
            details=clash,
            rule="a checkpoint fixes its model; data.* and trainer.* may change",
            remedy="leave these model options out",
        )


def _with_newer_options(stored: Any, asked: Any) -> Any:
    """Return stored options with those that the classes of ``asked`` take and an earlier version did not store."""
    if not isinstance(stored, dict) or not isinstance(asked, dict):
        return stored
    found = {name: _with_newer_options(value, asked.get(name)) for name, value in stored.items()}
    path, options = asked.get("class_path"), found.get("init_args")
    if path == stored.get("class_path") and isinstance(path, str) and isinstance(options, dict):
        module, _, name = path.rpartition(".")
        kind = getattr(importlib.import_module(module), name)
        found["init_args"] = {**_defaults(kind, asked.get("init_args") or {}), **options}
    return found


def _defaults(kind: Any, asked: Iterable[str]) -> dict[str, Any]:
    """Return the defaults of the options that are asked for."""
    taken = inspect.signature(kind).parameters
    return {name: taken[name].default for name in asked if name in taken}


def overrides(asked: dict[str, Any], stored: dict[str, Any]) -> list[str]:
    """Return a line for each option of data and trainer that replaces the checkpoint's.

    Example:
        >>> overrides({"trainer": {"devices": 2, "logger": False}}, {"trainer": {"devices": 1}})
        ['trainer.devices: 2 (1 in the checkpoint)']
    """
    before = without_run_parts(stored)
    return [
        f"{name.replace('.init_args', '')}: {a!r} ({s!r} in the checkpoint)"
        for part in ("data", "trainer")
        for name, a, s in _differences(asked.get(part), before.get(part), part)
    ]


def refuse_other_input(
    data: LightningDataModule, facts: Facts, stored: dict[str, Any] | None
) -> None:
    """Refuse data options that would give the network other input than in training.

    Args:
        data: The datamodule that the user asked for.
        facts: The checkpoint's Facts.
        stored: The checkpoint's configuration, if it has one.

    Raises:
        ConfigError: If texts would have another length, other fields or another encoder's tokens, or if other columns
            would be fields.
    """
    if not isinstance(data, BehaviorDataModule):
        return
    user_texts = data.user_text.fields if data.user_text else ()
    pairs: list[tuple[str, Any, Any]] = [
        ("max_tokens", data.max_tokens, facts.max_tokens),
        ("text.columns", sorted(data.text.fields), sorted(facts.fields)),
        ("item_fields", _columns(data.item_fields), _columns(facts.item_fields)),
        ("user_fields", _columns(data.user_fields), _columns(facts.user_fields)),
        ("user_text.columns", sorted(user_texts), sorted(facts.profile_texts)),
    ]
    if stored is not None:
        # another encoder would have no effect: the checkpoint has its own tokenizer
        trained_with = (stored.get("data") or {}).get("init_args", {}).get("encoder", data.encoder)
        pairs.append(("encoder", data.encoder, trained_with))
    clash = [
        f"data.{name}: {asked!r} asked, {there!r} in the checkpoint"
        for name, asked, there in pairs
        if asked != there
    ]
    if clash:
        raise ConfigError(
            "the network would see other texts or fields than it was trained with",
            where="--ckpt_path",
            details=clash,
            rule="a checkpoint fixes its tokenizer, the longest text and the fields",
            remedy="leave these options out",
        )


def _columns(fields: Sequence[Field | FittedField]) -> list[str]:
    return sorted(field.column for field in fields)


def _differences(asked: Any, stored: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(asked, dict) and isinstance(stored, dict):
        return [
            found
            for key in sorted({*asked, *stored})
            for found in _differences(
                asked.get(key), stored.get(key), f"{name}.{key}" if name else str(key)
            )
        ]
    return [] if asked == stored else [(name, asked, stored)]


def is_cache(folder: Path) -> bool:
    """Return whether a folder is a cache of prepared data by lit_rec, so that writing there is safe."""
    with suppress(OSError, ValueError):  # a name with a zero byte is not a path
        for manifest in folder.glob("*/manifest.json"):
            with suppress(OSError, ValueError):
                content = json.loads(manifest.read_text(encoding="utf-8"))
                if isinstance(content, dict) and content.keys() == {"key", "files"}:
                    return True
    return False


def cache_of_checkpoint(named: object, checkpoint: Path) -> str:
    """Return the cache folder of an evaluation.

    Args:
        named: ``data.cache_folder`` of the stored configuration.
        checkpoint: The file; if ``named`` is not a cache, a folder next to this file is used.
    """
    if named == DEFAULT_CACHE or (isinstance(named, str) and is_cache(Path(named))):
        return str(named)
    return str(checkpoint.parent / DEFAULT_CACHE)
