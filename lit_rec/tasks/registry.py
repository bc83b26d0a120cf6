"""The tasks by name."""

from __future__ import annotations

from lit_rec.data.facts import Facts
from lit_rec.data.targets.registry import register_target, target_rule
from lit_rec.errors import ConfigError, option_of
from lit_rec.tasks.label import LabelTask
from lit_rec.tasks.next_item import NextItemTask
from lit_rec.tasks.pretraining import PretrainingTask
from lit_rec.tasks.rating import RatingTask
from lit_rec.tasks.task import Task

_TASKS: dict[str, Task] = {}


def register_task(task: Task) -> None:
    """Register a task under the name of its target, for ``data.task``.

    Call this when your module is imported. A YAML that names one of its classes imports it; for a checkpoint of the
    task, ``--trust`` (``trust=[...]`` in Python) names the module.
    """
    register_target(task.target)
    _TASKS[task.target.name] = task


def task_named(name: str) -> Task:
    """Return a task.

    Args:
        name: As ``data.task`` names it.

    Raises:
        ConfigError: If there is no task of this name, or only a rule for targets.

    Example:
        >>> task_named("label").spoken
        'labels'
    """
    rule = target_rule(name)
    if name not in _TASKS:
        raise ConfigError(
            f"'{name}' has a rule for targets ({type(rule).__name__}), but no Task",
            where=option_of("BehaviorDataModule", "task"),
            rule="a task that is registered with its objective, metrics and report",
            remedy="call lit_rec.tasks.registry.register_task with it",
        )
    return _TASKS[name]


def all_tasks() -> tuple[Task, ...]:
    """Return all registered tasks."""
    return tuple(_TASKS.values())


def task_of(facts: Facts) -> Task:
    """Return the task of a data set."""
    return task_named(facts.task)


for _task in (RatingTask(), LabelTask(), NextItemTask(), PretrainingTask()):
    register_task(_task)
