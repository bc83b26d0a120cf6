"""Checks that a part fits the data: its task, and the fields that it reads."""

from __future__ import annotations

from collections.abc import Sized

from lit_rec.data.facts import Facts
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.errors import ConfigError, option_of


def needs_target(part: str, facts: Facts, target: type[TargetRule]) -> None:
    """Refuse a part that is made for other targets.

    Args:
        part: Its name.
        facts: Facts of the data.
        target: What it predicts.

    Raises:
        ConfigError: If the data asks for something else.
    """
    if not isinstance(facts.target, target):
        raise ConfigError(
            f"{part} predicts a {target.name}, the data asks for a {facts.task}",
            where=part,
            rule="parts of the task that BehaviorDataModule.task names",
            remedy=f"set BehaviorDataModule.task to {target.name}, or choose another head",
        )


def refuse_fields(part: str, facts: Facts, *, items: bool = True) -> None:
    """Refuse data whose fields a network would not read.

    Args:
        part: The network.
        facts: Facts of the data.
        items: Whether fields of items are refused, too, and not profiles of users alone.

    Raises:
        ConfigError: If the data has such fields.
    """
    named: dict[str, Sized] = {"item_fields": facts.item_fields} if items else {}
    named |= {"user_text": facts.profile_texts, "user_fields": facts.user_fields}
    unread = [option_of("BehaviorDataModule", name) for name, fields in named.items() if fields]
    if unread:
        raise ConfigError(
            f"{part} would not read them",
            where=" and ".join(unread),
            rule=f"{part} reads {'texts' if items else 'items'} alone",
            remedy="leave them out, name the columns in BehaviorDataModule.text, or use TwoTower",
        )
