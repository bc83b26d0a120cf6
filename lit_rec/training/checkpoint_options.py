"""Options beside a checkpoint's own: which of them may win over it, and which may not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lightning import LightningDataModule

from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.data.fields.field import Field, FittedField
from lit_rec.errors import ConfigError

CONFIG_PARTS = ("seed_everything", "model", "data", "trainer")


def without_run_parts(stored: dict[str, Any]) -> dict[str, Any]:
    """Leave out what belongs to training alone: a test writes beside its checkpoint, not into a new run folder."""
    config = {k: v for k, v in stored.items() if k in CONFIG_PARTS}
    config["trainer"] = {**config.get("trainer", {}), "logger": False, "callbacks": None}
    return config


def refuse_other_model(asked: Any, stored: Any) -> None:
    """Compare the options of two models.

    Raises:
        ConfigError: If they differ, naming both values.
    """
    clash = [
        f"model.{name}: {a!r} asked, {s!r} in the checkpoint"
        for name, a, s in _differences(asked, stored)
    ]
    if clash:
        raise ConfigError(
            "the model asked for is not the checkpoint's",
            where="--ckpt_path",
            details=clash,
            rule="a checkpoint fixes its model; data.* and trainer.* may change",
            remedy="leave these model options out",
        )


def overrides(asked: dict[str, Any], stored: dict[str, Any]) -> list[str]:
    """Return a line for each option of data and trainer that wins over the checkpoint's.

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
    """Compare what the data would hand to the network with what it was trained with.

    Args:
        data: The datamodule as asked for.
        facts: The checkpoint's.
        stored: The checkpoint's configuration, where it has one.

    Raises:
        ConfigError: If texts would be cut elsewhere, divided into other fields, or be expected in another encoder's tokens, or if other
            columns would be fields.
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
        # it would have no effect: the checkpoint brings its own tokenizer
        trained_with = stored["data"].get("init_args", {}).get("encoder", data.encoder)
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
