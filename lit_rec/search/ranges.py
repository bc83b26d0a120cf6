"""The values that an option may have in a search: numbers of a range, or choices."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lit_rec.errors import ConfigError, excerpt

_EXAMPLE = "{low: 0.0, high: 0.5}, {low: 1.0e-5, high: 1.0e-3, log: true}, {factor: 5} or {choices: [a, b]}"
_KEYS = ("low", "high", "log", "step", "factor", "choices")


class Suggests(Protocol):
    """The part of an Optuna trial that ranges use."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Return a number."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Return a whole number."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return a choice."""


@dataclass(frozen=True)
class Numbers:
    """Numbers from ``low`` to ``high``, both included.

    Args:
        low: The smallest.
        high: The largest.
        log: Whether the logarithm is drawn evenly, as for rates.
        step: Distance of two neighbors; None: any number, or any whole one.

    Example:
        >>> Numbers(1, 4).ends, Numbers(1, 4).is_whole, Numbers(0.1, 1.0, log=True).is_whole
        ((1, 4), True, False)
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are drawn."""
        parts = (self.low, self.high, 1 if self.step is None else self.step)
        return all(isinstance(part, int) for part in parts)

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that stand for all, where an option's check of values is tried."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Return whether a value is one of them."""
        if not _is_number(value) or not self.low <= value <= self.high:
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        whole = not self.is_whole or float(value).is_integer()
        return whole and abs(steps - round(steps)) < 1e-6

    def label(self, value: Any) -> Any:
        """Return a value as the study stores it."""
        return int(value) if self.is_whole else float(value)

    def value(self, label: Any) -> Any:
        """Return the value of a stored one."""
        return label

    def suggest(self, trial: Suggests, option: str) -> Any:
        """Have the study draw one."""
        if self.is_whole:
            step = 1 if self.step is None else int(self.step)
            return trial.suggest_int(option, int(self.low), int(self.high), step=step, log=self.log)
        return trial.suggest_float(
            option, float(self.low), float(self.high), step=self.step, log=self.log
        )


@dataclass(frozen=True)
class Choices:
    """Values of a list: texts, numbers, classes, or classes with their options.

    Args:
        values: The values.

    Example:
        >>> heads = Choices(("DotHead", {"class_path": "MLPHead", "init_args": {"hidden": 32}}))
        >>> heads.label(heads.values[1])
        '{"class_path": "MLPHead", "init_args": {"hidden": 32}}'
        >>> heads.holds({"class_path": "lit_rec.models.heads.value_heads.DotHead", "init_args": {}})
        True
    """

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All of them."""
        return self.values

    def holds(self, value: Any) -> bool:
        """Return whether a value of the configuration is one of them."""
        return any(is_same(choice, value) for choice in self.values)

    def label(self, value: Any) -> Any:
        """Return a value as the study stores it: Optuna takes no lists and mappings."""
        found = next((choice for choice in self.values if is_same(choice, value)), value)
        return _label(found)

    def value(self, label: Any) -> Any:
        """Return the value of a stored one."""
        return next(choice for choice in self.values if _label(choice) == label)

    def suggest(self, trial: Suggests, option: str) -> Any:
        """Have the study draw one."""
        return trial.suggest_categorical(option, [_label(choice) for choice in self.values])


Range = Numbers | Choices


def _label(choice: Any) -> Any:
    return json.dumps(choice) if isinstance(choice, dict | list) else choice


def is_same(choice: Any, value: Any) -> bool:
    """Return whether a choice stands for a value of the configuration, where classes have their paths and all options.

    Example:
        >>> is_same("FrozenTuning", {"class_path": "lit_rec.models.text.tuning.FrozenTuning"}), is_same(1, True)
        (True, False)
    """
    if isinstance(value, Mapping) and "class_path" in value:
        spec = choice if isinstance(choice, Mapping) else {"class_path": choice}
        name = str(value["class_path"])
        wanted = str(spec.get("class_path"))
        if wanted != name and wanted != name.rpartition(".")[2]:
            return False
        known = value.get("init_args") or {}
        return all(
            is_same(part, known.get(key)) for key, part in (spec.get("init_args") or {}).items()
        )
    if isinstance(choice, bool) or isinstance(value, bool):
        return choice is value
    return bool(choice == value)


def range_of(given: Any, default: Any, where: str) -> Range:
    """Return the range that a space file gives for an option.

    Args:
        given: As the file has it.
        default: The option's value in the configuration.
        where: File and option, for errors.

    Raises:
        ConfigError: If it is no range, it is empty, or the default is outside.

    Example:
        >>> range_of({"factor": 4}, 2e-5, "space.yaml")
        Numbers(low=5e-06, high=8e-05, log=True, step=None)
    """
    keys = {*given} if isinstance(given, Mapping) else set()
    kinds = [{"low", "high"} <= keys, "factor" in keys, "choices" in keys]
    if not keys or sum(kinds) != 1 or not keys <= {*_KEYS} or (len(keys) > 1 and not kinds[0]):
        raise ConfigError(
            f"{excerpt(given)} is no range",
            where=where,
            rule="low and high, maybe with log or step; or a factor; or choices",
            remedy=f"write one of {_EXAMPLE}",
        )
    if kinds[2]:
        found: Range = _choices(given["choices"], where)
    elif kinds[1]:
        found = _around(given["factor"], default, where)
    else:
        found = _numbers(given, default, where)
    if not found.holds(default):
        raise ConfigError(
            f"the configuration's value, {_shown(default)}, is outside",
            where=where,
            rule="a range that holds it: the search begins with the configuration as it is",
            remedy="widen the range to hold it, or give the option another value after the command",
        )
    return found


def _choices(values: Any, where: str) -> Choices:
    labels = [json.dumps(v) for v in values] if isinstance(values, list) else []
    if len(labels) < 2 or len({*labels}) < len(labels):
        raise ConfigError(
            f"{excerpt(values)} leaves nothing to choose",
            where=where,
            rule="a list of two or more values, each once",
            remedy="add a value, or remove the option from the space",
        )
    return Choices(tuple(values))


def _around(factor: Any, default: Any, where: str) -> Numbers:
    if not _is_number(factor) or factor <= 1 or not _is_number(default) or default <= 0:
        raise ConfigError(
            f"a factor of {excerpt(factor)} around {_shown(default)}",
            where=where,
            rule="a factor above 1, around a value of the configuration above 0",
            remedy="write low and high instead",
        )
    return Numbers(default / factor, default * factor, log=True)


def _numbers(given: Mapping[str, Any], default: Any, where: str) -> Numbers:
    low, high = given["low"], given["high"]
    log, step = given.get("log"), given.get("step")
    numbers = [low, high, *([] if step is None else [step])]
    if not all(_is_number(number) for number in numbers) or not isinstance(log, bool | None):
        raise ConfigError(
            f"{excerpt(dict(given))} has a part that is no number",
            where=where,
            rule="low, high and step are finite numbers, log is true or false",
            remedy="correct the number; rates are written as 1.0e-5",
        )
    if not low < high:
        raise ConfigError(
            f"from {low} to {high} there is nothing to choose",
            where=where,
            rule="a low that is less than the high",
            remedy="exchange the two, or remove the option from the space",
        )
    if (log and (low <= 0 or step is not None)) or (
        step is not None and not 0 < step <= high - low
    ):
        raise ConfigError(
            f"{excerpt(dict(given))} cannot be drawn",
            where=where,
            rule="with log a low above 0 and no step; a step above 0 and at most high - low",
            remedy="leave out log or step",
        )
    if not all(isinstance(number, int) for number in (*numbers, default)):
        # from 1 to 5 there is 2.5 too, where the configuration has 1.5
        low, high, step = float(low), float(high), None if step is None else float(step)
    return Numbers(low, high, bool(log), step)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and "class_path" in value:
        return str(value["class_path"]).rpartition(".")[2]
    return excerpt(value)
