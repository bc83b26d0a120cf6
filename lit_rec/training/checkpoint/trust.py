"""Modules that a user trusts: a checkpoint may name their classes, and may need the task that one of them registers."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Any

from lit_rec.data.targets.registry import task_names
from lit_rec.errors import CheckpointError, ConfigError

MODULE_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_OPTION = "--trust"
_SHOWN = 60


def modules_named(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return the modules of ``--trust``; each value may hold several, separated by commas.

    Raises:
        ConfigError: If one is not the name of a module.

    Example:
        >>> modules_named(["my_parts,mine.heads", "other"])
        ('my_parts', 'mine.heads', 'other')
    """
    given = [names] if isinstance(names, str) else names
    found = tuple(part.strip() for name in given for part in name.split(","))
    for name in found:
        if not MODULE_NAME.fullmatch(name):
            of_path = name.removesuffix(".py").replace("/", ".").strip(".")
            near = of_path if MODULE_NAME.fullmatch(of_path) else "my_parts"
            raise ConfigError(
                f"'{name[:_SHOWN]}' is no name of a module",
                where=_OPTION,
                rule="a module as `import` takes it, such as my_parts; it and all below it may be named",
                remedy=f"--trust {near}" + " for a file my_parts.py" * (near != of_path),
            )
    return found


def without_trust(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split off ``--trust`` and return the other words and its values: the checkpoint is read before parsing.

    Raises:
        ConfigError: If it names nothing.

    Example:
        >>> without_trust(["test", "--trust", "my_parts", "--ckpt_path=best.ckpt", "--trust=other"])
        (['test', '--ckpt_path=best.ckpt'], ['my_parts', 'other'])
    """
    rest, names = without_option(words, _OPTION)
    modules_named(names)
    return rest, names


def without_option(words: Sequence[str], name: str) -> tuple[list[str], list[str]]:
    """Split off an option that may be repeated, and return the other words and its values.

    Example:
        >>> without_option(["test", "--base", "a", "--base=b"], "--base")
        (['test'], ['a', 'b'])
    """
    rest, values, waiting = [], [], iter(words)
    for word in waiting:
        option, equals, value = word.partition("=")
        if option == name:
            values.append(value if equals else next(waiting, ""))
        else:
            rest.append(word)
    return rest, values


def import_task(task: Any, trust: str | Sequence[str], where: str) -> None:
    """Make a checkpoint's task known: if it is not, import the trusted modules, which may register it.

    Args:
        task: The name that the checkpoint holds.
        trust: The modules.
        where: What the checkpoint is called in errors.

    Raises:
        CheckpointError: If the task is not known afterwards.
        ConfigError: If ``trust`` holds something that is not the name of a module.
    """
    if not isinstance(task, str) or task in task_names():
        return
    failed = []
    for module in modules_named(trust):
        try:
            importlib.import_module(module)
        except ImportError as error:
            failed.append(f"{module} is not imported: {error}")
    if task in task_names():
        return
    raise CheckpointError(
        f"{task[:_SHOWN]!r} is not known",
        where=f"{where}, facts.task",
        details=failed,
        rule=f"one of {', '.join(task_names())}, or a task that a trusted module registers",
        remedy="--trust MODULE (from_checkpoint(path, trust=['MODULE'])) with your module that calls "
        "register_task, and its folder in PYTHONPATH",
    )
