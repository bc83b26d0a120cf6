"""Strict YAML: refuses what YAML allows and a configuration never needs; errors show line and column.

Refused are repeated keys, keys that are not text, tags, merge keys, several documents, anchors that contain themselves,
aliases that stand for too many values, deep nesting, and numbers that YAML 1.1 reads as other numbers, such as 010.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from jsonargparse._optionals import get_omegaconf_loader
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lit_rec.errors import ConfigError
from lit_rec.training.checkpoint.former_paths import current_paths

_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # written in C where PyYAML has it
MODE = "omegaconf+"  # jsonargparse's mode in which interpolation uses values of the command line
_LONGEST = 2**18  # characters; the shipped files have about 4,000
_DEEPEST = 64
_MOST_VALUES = 10_000  # an alias counts as all values that it stands for
_MOST_INTERPOLATIONS = 24  # twelve options with two each could make a text 4,096 times as long
# 010 is 8 in YAML 1.1, 0b1 is 1, and 1:30 is 90
_OTHER_BASE = re.compile(r"[-+]?(0[0-9_]+|0b[01_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
_META = re.compile(r"__\w+__")
_STANDARD = "tag:yaml.org,2002:"
_SHOWN = 40


def check_yaml(text: str, where: str) -> Node | None:
    """Return the nodes of a text with a section or a list; None: it has neither, and nothing to check.

    Args:
        text: YAML.
        where: Its file or option, for errors.

    Raises:
        ConfigError: If something in it is refused.
        yaml.YAMLError: If it is not YAML.
    """
    if len(text) > _LONGEST:
        raise ConfigError(
            f"has {len(text):,} characters",
            where=where,
            rule=f"a configuration of at most {_LONGEST:,} characters",
            remedy="leave out everything but options; tables are named by their paths",
        )
    _check_interpolations(text, where)
    if not _check_events(text, where):
        return None
    node: Any = yaml.compose(text, Loader=_SAFE)
    for path, inner in walk(node):
        if isinstance(inner, MappingNode):
            _check_keys(inner, path, where)
        elif isinstance(inner, ScalarNode):
            _check_scalar(inner, path, where)
    return node  # type: ignore[no-any-return]


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Yield a node and all below it, each with its path, such as ``data.init_args.batch_size``."""
    yield path, node
    if isinstance(node, MappingNode):
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else "?"
            yield from walk(value, f"{path}.{name}" if path else name)
    elif isinstance(node, SequenceNode):
        for place, value in enumerate(node.value):
            yield from walk(value, f"{path}[{place}]")


def at(where: str, mark: Any, path: str = "") -> str:
    """Return a place for errors.

    Args:
        where: File or option.
        mark: PyYAML's; counts from 0.
        path: The option in the file.
    """
    return f"{where}, line {mark.line + 1}, column {mark.column + 1}" + (
        f" ({path})" if path else ""
    )


def load_strictly(text: str) -> Any:
    """Load a value of the command line, or a file, for jsonargparse.

    Classes may be named by their paths in earlier versions.

    Raises:
        ConfigError: If something in it is refused.
        yaml.YAMLError: If it is not YAML: jsonargparse takes it for plain text.
    """
    try:
        check_yaml(text, where=f"value '{shown(text)}'")
        return current_paths(_load(text))
    except (
        ValueError,
        KeyError,
        RecursionError,
    ) as error:  # as of "!!int x", and of too many digits
        raise yaml.YAMLError(str(error)) from error


def shown(text: str) -> str:
    """Return the beginning of a value, on one line."""
    flat = " ".join(str(text).split())
    return flat if len(flat) <= _SHOWN else f"{flat[: _SHOWN - 3]}..."


def _check_interpolations(text: str, where: str) -> None:
    """Refuse many interpolations before OmegaConf resolves them: nested ones can take seconds, or never end."""
    count = text.count("${")
    if count > _MOST_INTERPOLATIONS:
        raise ConfigError(
            f"there are {count:,} interpolations",
            where=where,
            rule=f"at most {_MOST_INTERPOLATIONS} times ${{...}}",
            remedy="write out what most of them stand for",
        )


def _check_events(text: str, where: str) -> bool:
    """Check without building anything; return whether there is a section or a list."""
    measure, documents = _Measure(where), 0
    for event in yaml.parse(text, Loader=_SAFE):
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise ConfigError(
                "a second document begins here (---)",
                where=at(where, event.start_mark),
                rule="one document in a file",
                remedy="put it into a file of its own: -c first.yaml -c second.yaml",
            )
        if isinstance(event, yaml.CollectionStartEvent):
            measure.begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            measure.end(event)
        elif isinstance(event, yaml.AliasEvent):
            measure.repeat(event)
        elif isinstance(event, yaml.ScalarEvent):
            measure.scalar(event)
    return measure.has_collection


class _Measure:
    """Counts values and levels; an alias counts as all that it stands for."""

    def __init__(self, where: str) -> None:
        self._where = where
        # anchor -> its values and levels, or None while it is open
        self._anchors: dict[str, tuple[int, int] | None] = {}
        self._open: list[tuple[str | None, int, int]] = [(None, 0, 0)]
        self.has_collection = False

    def begin(self, event: Any) -> None:
        _check_tag(event, self._where)
        self.has_collection = True
        if event.anchor:
            self._anchors[event.anchor] = None
        self._open.append((event.anchor, 1, 1))
        _check_size(1, len(self._open) - 1, event, self._where)

    def end(self, event: Any) -> None:
        anchor, values, levels = self._open.pop()
        self._add(anchor, (values, levels), event)

    def repeat(self, event: Any) -> None:
        size = self._anchors.get(event.anchor, (1, 0))  # the composer refuses an unknown anchor
        if size is None:
            name = shown(event.anchor)
            raise ConfigError(
                f"'*{name}' stands inside its own anchor '&{name}'",
                where=at(self._where, event.start_mark),
                rule="a value that ends: no anchor contains itself",
                remedy="write the value out instead of the alias",
            )
        self._add(None, size, event)

    def scalar(self, event: Any) -> None:
        if self.has_collection:
            _check_tag(event, self._where)
        self._add(event.anchor, (1, 0), event)

    def _add(self, anchor: str | None, size: tuple[int, int], event: Any) -> None:
        if anchor:
            self._anchors[anchor] = size
        outer, values, levels = self._open[-1]
        self._open[-1] = outer, values + size[0], max(levels, 1 + size[1])
        _check_size(self._open[-1][1], len(self._open) - 1 + size[1], event, self._where)


def _check_size(values: int, levels: int, event: Any, where: str) -> None:
    if values > _MOST_VALUES:
        raise ConfigError(
            f"there are more than {_MOST_VALUES:,} values up to here, each alias counted as all that it stands for",
            where=at(where, event.start_mark),
            rule=f"at most {_MOST_VALUES:,}",
            remedy="write out what the aliases are meant to be, or leave them out",
        )
    if levels > _DEEPEST:
        raise ConfigError(
            f"more than {_DEEPEST} sections or lists stand inside each other",
            where=at(where, event.start_mark),
            rule=f"at most {_DEEPEST} levels",
            remedy="remove the brackets or indentation that are not needed",
        )


def _check_tag(event: Any, where: str) -> None:
    if event.tag is not None:
        raise ConfigError(
            f"there is a YAML tag, '{shown(event.tag.replace(_STANDARD, '!!'))}'",
            where=at(where, event.start_mark),
            rule="plain sections, lists, texts, numbers, true, false and null",
            remedy="remove it; a class is named by class_path, and a text that begins with '!' stands in quotes",
        )


def _check_keys(node: MappingNode, path: str, where: str) -> None:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        is_value = isinstance(key, ScalarNode)
        name = shown(key.value) if is_value else "a list or section"
        if key.tag == "tag:yaml.org,2002:merge":
            raise ConfigError(
                "there is a merge key, '<<'",
                where=at(where, key.start_mark, path),
                rule="each option stands where it counts",
                remedy="write the options out, or name two files: -c first.yaml -c second.yaml",
            )
        if key.tag != "tag:yaml.org,2002:str" or not key.value:
            kind = key.tag.rpartition(":")[2]
            raise ConfigError(
                f"the key '{name}' is not text, but {kind} in YAML",
                where=at(where, key.start_mark, path),
                rule="names of options and columns are text",
                remedy=f'put it in quotes: "{name}"'
                if is_value and name.strip()
                else "name an option",
            )
        if _META.fullmatch(key.value):
            raise ConfigError(
                f"'{name}' is a name that the parser uses internally, and drops",
                where=at(where, key.start_mark, path),
                rule="names of options and columns",
                remedy="remove it",
            )
        if key.value in seen:
            raise ConfigError(
                f"'{name}' is in line {seen[key.value]} and here again",
                where=at(where, key.start_mark, path),
                rule="each key once in a section; the first would be dropped",
                remedy="remove one of the two",
            )
        seen[key.value] = key.start_mark.line + 1


def _check_scalar(node: ScalarNode, path: str, where: str) -> None:
    if node.style not in (None, ""):
        return  # in quotes it is text
    value = node.value
    if _OTHER_BASE.fullmatch(value):
        raise ConfigError(
            f"{shown(value)} is another number in YAML, where 010 is 8 and 1:30 is 90",
            where=at(where, node.start_mark, path),
            rule="a number is written in decimal digits",
            remedy="write the number that is meant, or put a text in quotes",
        )


_load = get_omegaconf_loader(MODE)  # type: ignore[no-untyped-call]
