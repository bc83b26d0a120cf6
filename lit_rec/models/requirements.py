"""Checks that a part fits the data: its task, and the fields that it reads."""

from __future__ import annotations

from collections.abc import Sized
from typing import Literal

from lit_rec.data.facts import Facts
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.errors import ConfigError, option_of


def needs_target(
    part: str,
    facts: Facts,
    target: type[TargetRule],
    otherwise: str = "choose another head",
) -> None:
    """Refuse a part that is made for other targets.

    Args:
        part: Its name.
        facts: Facts of the data.
        target: What it predicts.
        otherwise: What to do where the task stays.

    Raises:
        ConfigError: If the data asks for something else.
    """
    if not isinstance(facts.target, target):
        raise ConfigError(
            f"{part} predicts a {target.name}, the data asks for a {facts.task}",
            where=part,
            rule="parts of the task that BehaviorDataModule.task names",
            remedy=f"set BehaviorDataModule.task to {target.name}, or {otherwise}",
        )


def refuse_fields(
    part: str, facts: Facts, *, reads: Literal["texts", "items", "ids"], instead: str
) -> None:
    """Refuse data whose fields a network would not read.

    Args:
        part: The network, or its item encoder.
        facts: Facts of the data.
        reads: What it reads; one that reads items reads their fields, and refuses profiles of users alone.
        instead: The part to use for such fields.

    Raises:
        ConfigError: If the data has such fields.
    """
    named: dict[str, Sized] = {} if reads == "items" else {"item_fields": facts.item_fields}
    named |= {"user_text": facts.profile_texts, "user_fields": facts.user_fields}
    unread = [option_of("BehaviorDataModule", name) for name, fields in named.items() if fields]
    if unread:
        ways = ["leave them out", f"use {instead}"]
        if reads == "texts" and facts.item_fields:
            ways.insert(
                1, f"name columns of items in {option_of('BehaviorDataModule', 'text')} instead"
            )
        raise ConfigError(
            f"{part} would not read them",
            where=" and ".join(unread),
            rule=f"{part} reads {reads} alone",
            remedy=", or ".join(ways),
        )
