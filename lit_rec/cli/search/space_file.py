"""Read the space of a search, and try the ends of its ranges on the parser before any trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lit_rec.cli.options.config_files import read_yaml
from lit_rec.cli.options.strict_yaml import load_strictly
from lit_rec.errors import ConfigError, LitRecError, excerpt
from lit_rec.search.ranges import Choices
from lit_rec.search.space import Space, default_space, space_of, word_of
from lit_rec.tasks.task import Task


def read_space(file: str | None, config: Mapping[str, Any], task: Task) -> Space:
    """Return the space of a file, or the task's own.

    Args:
        file: What ``--space`` names.
        config: The whole configuration.
        task: What is predicted.

    Raises:
        ConfigError: If the file is no space, or none is named and the task has none.
    """
    if file is not None:
        return space_of(_read(Path(file)), config, file)
    if task.space is None:
        raise ConfigError(
            f"no space is named, and {type(task).__name__} has none",
            where="lit-rec tune",
            rule="--space with a YAML of options and their ranges",
            remedy="write one: a line such as model.head_rate: {factor: 5}, and --space FILE",
        )
    return default_space(_read(task.space), config, task.space.name)


def _read(path: Path) -> dict[str, Any]:
    read_yaml("--space", path)
    found: dict[str, Any] = load_strictly(path.read_text(encoding="utf-8"))
    return found


def try_ends(space: Space, parsed: Callable[[list[str]], Mapping[str, Any]], where: str) -> None:
    """Parse the configuration with the ends of each range, and note which options a choice has.

    Args:
        space: The space.
        parsed: Parses words after those of the user, and returns the whole configuration.
        where: The file, for errors.

    Raises:
        ConfigError: If the parser refuses a value.
    """
    numbers = {o: one for o, one in space.ranges.items() if not isinstance(one, Choices)}
    for place in (0, 1):
        ends = {option: one.ends[place] for option, one in numbers.items()}
        try:
            parsed([word_of(option, value) for option, value in ends.items()])
        except LitRecError:  # one after the other, to name the one that is wrong
            for option, value in ends.items():
                _try(option, value, parsed, where)
            raise
    for option, one in space.ranges.items():
        for value in one.ends if isinstance(one, Choices) else ():
            config = _try(option, value, parsed, where)
            space.note(option, value, config)


def _try(
    option: str, value: Any, parsed: Callable[[list[str]], Mapping[str, Any]], where: str
) -> Mapping[str, Any]:
    try:
        return parsed([word_of(option, value)])
    except LitRecError as error:
        raise ConfigError(
            f"`lit-rec fit` refuses {excerpt(value)}: {error.problem}",
            where=f"{where} ({option})",
            rule=error.rule or "values that the option takes",
            remedy="correct the value in the space, or remove it",
        ) from error
