"""Configuration files named on the command line, checked before the parser reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from lit_rec.cli.options.strict_yaml import at, check_yaml, shown, walk
from lit_rec.errors import ConfigError
from lit_rec.files.existing import is_there

_GROUPS = ("data", "model", "trainer")
_LARGEST = 2**20  # bytes


def check_configs(words: list[str]) -> list[tuple[Path, MappingNode]]:
    """Check that each file of ``-c``, ``--config``, ``--data``, ``--model`` and ``--trainer`` is a YAML with sections.

    Returns:
        The configurations of ``-c`` and ``--config``, each with its nodes.

    Raises:
        ConfigError: If one is not there, or is not such a YAML, with line and column.
    """
    found = []
    for option, value in _options(words):
        path = Path(value)
        if option in ("-c", "--config"):
            root = read_yaml(option, path)
            _check_sections(root, path, _GROUPS)
            found.append((path, root))
        elif option.removeprefix("--") in _GROUPS and path.suffix in (".yaml", ".yml", ".json"):
            _check_there(option, path)
            _check_sections(_nodes(path), path, ())
    return found


def read_yaml(option: str, path: Path) -> MappingNode:
    """Return the nodes of a YAML.

    Args:
        option: What names it.
        path: The file.

    Raises:
        ConfigError: If it is not there, or is no YAML with sections.
    """
    _check_there(option, path)
    return _nodes(path)


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option.startswith("-"):
            if equals:
                yield option, value
            elif place + 1 < len(words):
                yield option, words[place + 1]


def _check_there(option: str, path: Path) -> None:
    there = is_there(path)
    folder = there and path.is_dir()
    if folder or not there:
        beside = path.parent.glob("*.yaml") if folder or path.parent.is_dir() else ()
        near = sorted(str(p) for p in beside if not p.name.startswith("."))[:4]
        raise ConfigError(
            "this is a folder" if folder else f"there is no such file (seen from {Path.cwd()})",
            where=f"{option} {path}",
            rule="a YAML file",
            remedy=f"beside it lie {', '.join(near)}" if near else "check the path",
        )


def _nodes(path: Path) -> MappingNode:
    try:
        if path.stat().st_size > _LARGEST:
            raise ConfigError(
                f"has {path.stat().st_size:,} bytes",
                where=str(path),
                rule=f"a configuration of at most {_LARGEST:,} bytes",
                remedy="name a configuration; tables are named in it by their paths",
            )
        node = check_yaml(path.read_text(encoding="utf-8"), where=str(path))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _not_yaml(path, error) from error
    if not isinstance(node, MappingNode):
        raise ConfigError(
            f"holds {'a list' if node is not None else 'nothing or one value'}, not sections",
            where=str(path),
            rule="a YAML with sections such as data, model and trainer",
            remedy="write these sections, as in a file of configs/ or one that `lit-rec init` writes",
        )
    return node


def _not_yaml(path: Path, error: Exception) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    if isinstance(error, UnicodeDecodeError):
        problem = f"is not UTF-8 (byte {error.object[error.start]:#04x} at {error.start:,})"
    elif isinstance(error, yaml.reader.ReaderError):
        seen: Any = error.character  # a number where PyYAML's parser is the one in C
        code = seen if isinstance(seen, int) else ord(seen[:1])
        problem = f"is not text: character {code:#06x} at {error.position:,}"
    else:
        problem = f"is not YAML: {getattr(error, 'problem', None) or error}"
    return ConfigError(
        problem,
        where=at(str(path), mark) if mark else str(path),
        rule="UTF-8 text, two spaces of indentation a level, no tabs, a space after each colon",
        remedy="correct this place; a file of configs/, or one that `lit-rec init` writes, shows how it is written",
    )


def _check_sections(root: MappingNode, path: Path, groups: tuple[str, ...]) -> None:
    """Refuse a list, text or number instead of a section, which the parser would drop."""
    for name, node in walk(root):
        last = name.rpartition(".")[2]
        if name in ("config", "trust", "base"):
            raise ConfigError(
                f"'{name}' is an option of the command line alone",
                where=at(str(path), node.start_mark, name),
                rule="sections such as data, model and trainer",
                remedy=f"remove it, and write --{name} after the command",
            )
        whole = name in groups
        if not (whole or last in ("init_args", "dict_kwargs")) or isinstance(node, MappingNode):
            continue
        if whole and isinstance(node, ScalarNode) and _is_file(path, node):
            continue
        raise ConfigError(
            f"'{last}' holds {_kind(node)}, not a section",
            where=at(str(path), node.start_mark, name),
            rule="options, each indented below it: `name: value`",
            remedy="remove the dashes or brackets, or the key itself where it has no options",
        )


def _is_file(path: Path, node: ScalarNode) -> bool:
    file = path.parent / node.value
    return bool(node.value) and is_there(file) and file.is_file()


def _kind(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return "null" if node.tag.endswith(":null") else f"'{shown(node.value)}'"
    return "a list"
