"""Configuration files named on the command line, checked before the parser reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from lit_rec.errors import ConfigError


def check_configs(words: list[str]) -> None:
    """Check that each file of ``-c`` or ``--config`` is there and is a YAML with sections.

    Raises:
        ConfigError: If one is not, with line and column.
    """
    for option, path in _config_paths(words):
        if not path.is_file():
            beside = path.parent.glob("*.yaml") if path.parent.is_dir() else ()
            near = sorted(str(p) for p in beside)[:4]
            raise ConfigError(
                "this is a folder"
                if path.is_dir()
                else f"there is no such file (seen from {Path.cwd()})",
                where=f"{option} {path}",
                rule="a YAML file",
                remedy=f"beside it lie {', '.join(near)}" if near else "check the path",
            )
        _check_yaml(path)


def _config_paths(words: list[str]) -> Iterator[tuple[str, Path]]:
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in ("-c", "--config"):
            if equals:
                yield option, Path(value)
            elif place + 1 < len(words):
                yield option, Path(words[place + 1])


def _check_yaml(path: Path) -> None:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(
            f"is not YAML: {getattr(error, 'problem', None) or error}",
            where=f"{path}{line}",
            rule="two spaces of indentation a level, no tabs, a space after each colon",
            remedy="compare with a file of configs/",
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"holds {type(content).__name__}, not sections",
            where=str(path),
            rule="a YAML with sections such as data, model and trainer",
            remedy="compare with a file of configs/",
        )
