"""The rules for targets by the name of their task."""

from __future__ import annotations

from lit_rec.data.targets.label import LabelTarget
from lit_rec.data.targets.next_item import NextItemTarget
from lit_rec.data.targets.pretraining import PretrainingTarget
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.errors import ConfigError, did_you_mean, option_of

_RULES: dict[str, TargetRule] = {}


def register_target(rule: TargetRule) -> None:
    """Make a rule known to ``data.task`` by its name; ``tasks.registry.register_task`` calls this for its rule."""
    _RULES[rule.name] = rule


def task_names() -> tuple[str, ...]:
    """Return the names that ``data.task`` knows."""
    return tuple(_RULES)


def target_rule(task: str) -> TargetRule:
    """Return the rule of a task.

    Args:
        task: Its name.

    Raises:
        ConfigError: If no task has this name.

    Example:
        >>> target_rule("next_item").follows
        True
    """
    if task not in _RULES:
        raise ConfigError(
            f"there is no task '{task}'",
            where=option_of("BehaviorDataModule", "task"),
            rule=f"one of {', '.join(_RULES)}, or one that an imported module has registered",
            remedy=did_you_mean(task, list(_RULES), "name one of these"),
        )
    return _RULES[task]


for _rule in (RatingTarget(), LabelTarget(), NextItemTarget(), PretrainingTarget()):
    register_target(_rule)
