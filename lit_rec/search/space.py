"""Space: which options are searched, and between which values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lit_rec.errors import ConfigError, did_you_mean, some_of
from lit_rec.search.ranges import Range, Suggests, is_same, range_of

_NONE = object()
# rates of an encoder mean nothing where none is trained
_OF_THE_ENCODER = ("model.encoder_rate", "model.encoder_decay", "model.layer_decay")


class Space:
    """Options with their ranges, the outer ones first.

    Args:
        ranges: Range of each option, by its dotted path.
        defaults: The configuration's values.

    Example:
        >>> from lit_rec.search.ranges import Numbers
        >>> space = Space({"model.head_rate": Numbers(0.1, 1.0)}, {"model.head_rate": 0.5})
        >>> space.words({"model.head_rate": 0.5}), space.words({"model.head_rate": 0.25})
        ([], ['--model.head_rate=0.25'])
    """

    def __init__(self, ranges: Mapping[str, Range], defaults: Mapping[str, Any]) -> None:
        outer = sorted(ranges, key=lambda option: (option.count("."), option))
        self.ranges = {option: ranges[option] for option in outer}
        self.defaults = dict(defaults)
        self._lacking: dict[tuple[str, Any], set[str]] = {}

    def first(self) -> dict[str, Any]:
        """Return the labels of the configuration's own values, for the first trial."""
        return {o: one.label(self.defaults[o]) for o, one in self.ranges.items()}

    def described(self) -> dict[str, str]:
        """Return each range as text, to compare two spaces."""
        return {option: str(one) for option, one in self.ranges.items()}

    def inner(self, option: str) -> list[str]:
        """Return the options that belong to a part which another option chooses."""
        return [other for other in self.ranges if other.startswith(f"{option}.")]

    def note(self, option: str, choice: Any, config: Mapping[str, Any]) -> None:
        """Note which inner options there are with a choice; the others are not drawn beside it.

        Args:
            option: The option.
            choice: One of its values.
            config: The whole configuration with this choice.
        """
        found = {o for o in self.inner(option) if value_at(config, o) is _NONE}
        self._lacking[option, self.ranges[option].label(choice)] = found

    def suggest(self, trial: Suggests) -> dict[str, Any]:
        """Have a trial draw a value for each option; return the values."""
        drawn: dict[str, Any] = {}
        absent: set[str] = set()
        for option, one in self.ranges.items():
            if option in absent:
                continue
            label = one.suggest(trial, option)
            drawn[option] = one.value(label)
            absent |= self._lacking.get((option, label), set())
        return drawn

    def words(self, drawn: Mapping[str, Any]) -> list[str]:
        """Return drawn values as words of the command line; those of the configuration need none."""
        changed = {o for o, value in drawn.items() if not is_same(value, self.defaults[o])}
        within = {inner for option in changed for inner in self.inner(option)}
        return [word_of(o, v) for o, v in drawn.items() if o in changed | within]


def word_of(option: str, value: Any) -> str:
    """Return a value as a word of the command line.

    Example:
        >>> word_of("model.head_rate", 1e-05), word_of("data.seed", None), word_of("a.b", [1, "c"])
        ('--model.head_rate=1e-05', '--data.seed=null', '--a.b=[1, "c"]')
    """
    return f"--{option}={value if isinstance(value, str) else json.dumps(value)}"


def space_of(given: Mapping[str, Any], config: Mapping[str, Any], where: str) -> Space:
    """Return the space of a user's file.

    Args:
        given: Ranges by option, as the file has them.
        config: The whole configuration, each part with ``class_path`` and ``init_args``.
        where: The file, for errors.

    Raises:
        ConfigError: If an option is unknown, a range is wrong, or nothing is searched.
    """
    if not given:
        raise ConfigError(
            "names no option",
            where=where,
            rule="options with their ranges",
            remedy="add a line such as model.head_rate: {factor: 5}",
        )
    ranges: dict[str, Range] = {}
    defaults: dict[str, Any] = {}
    for name, one in given.items():
        option, value = _found(config, name, where)
        defaults[option], ranges[option] = value, range_of(one, value, f"{where} ({name})")
    return Space(ranges, defaults)


def default_space(given: Mapping[str, Any], config: Mapping[str, Any], where: str) -> Space:
    """Return a task's own space, as far as the configuration has its options and uses them.

    A range is widened to hold the configuration's value. Left out are options of parts that are not there, those
    without a value, rates of 0, and an encoder's rates where no encoder is trained.

    Args:
        given: Ranges by option.
        config: As in ``space_of``.
        where: The file, for errors.

    Raises:
        ConfigError: If nothing is left to search.
    """
    ranges: dict[str, Range] = {}
    defaults: dict[str, Any] = {}
    frozen = not _trains_encoder(config.get("model"))
    for name, one in given.items():
        value = value_at(config, name)
        lacks = value is _NONE or value is None or (not value and {"factor", "log"} & {*one})
        if lacks or (frozen and name in _OF_THE_ENCODER):
            continue
        wide = dict(one)
        if "low" in one:
            wide |= {"low": min(one["low"], value), "high": max(one["high"], value)}
        option = full_path(config, name)
        defaults[option], ranges[option] = value, range_of(wide, value, f"{where} ({name})")
    if not ranges:
        raise ConfigError(
            "the configuration has none of the options that are searched by default",
            where=where,
            rule=f"one of {some_of(given)}",
            remedy="name a file of options with --space",
        )
    return Space(ranges, defaults)


def _found(config: Mapping[str, Any], name: str, where: str) -> tuple[str, Any]:
    """Return an option's full path and its value.

    Raises:
        ConfigError: If there is none of this name.
    """
    node: Any = config
    steps = _steps(name)
    for place, step in enumerate(steps):
        inside = _inside(node)
        if step not in inside:
            before = ".".join(steps[:place]) or "the configuration"
            raise ConfigError(
                f"{before} has no option '{step}'",
                where=f"{where} ({name})",
                rule=f"one of {some_of(inside)}" if inside else "an option of this configuration",
                remedy=did_you_mean(step, inside, "correct or remove it"),
            )
        node = inside[step]
    return full_path(config, name), node


def full_path(config: Mapping[str, Any], name: str) -> str:
    """Return an option's path with ``init_args``, as the command line always takes it.

    Example:
        >>> head = {"class_path": "a.Head", "init_args": {"width": 3}}
        >>> config = {"model": {"head": head}, "data": {"class_path": "a.Data", "init_args": {"text": head}}}
        >>> full_path(config, "model.head.width"), full_path(config, "data.text.width")
        ('model.head.init_args.width', 'data.text.init_args.width')
    """
    node: Any = config
    path: list[str] = []
    for step in _steps(name):
        # data has a class too, but the command line takes its options without init_args
        if isinstance(node, Mapping) and "class_path" in node and path != ["data"]:
            path.append("init_args")
        path.append(step)
        node = _inside(node).get(step)
    return ".".join(path)


def value_at(config: Mapping[str, Any], name: str) -> Any:
    """Return an option's value; a mark of its own where there is no such option."""
    node: Any = config
    for step in _steps(name):
        inside = _inside(node)
        if step not in inside:
            return _NONE
        node = inside[step]
    return node


def _steps(name: str) -> list[str]:
    return [step for step in name.split(".") if step != "init_args"]


def _inside(node: Any) -> Mapping[str, Any]:
    if isinstance(node, Mapping):
        return (node.get("init_args") or {}) if "class_path" in node else node
    return {}


def _trains_encoder(node: Any) -> bool:
    """Return whether a configuration has a backbone that is not frozen."""
    inside = _inside(node)
    if "tuning" in inside:
        tuning = inside["tuning"]
        return not (isinstance(tuning, Mapping) and _name(tuning) == "FrozenTuning")
    return any(map(_trains_encoder, _parts(inside.values())))


def _parts(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, Mapping)]


def _name(node: Mapping[str, Any]) -> str:
    return str(node.get("class_path")).rpartition(".")[2]
