"""Names of files and folders on the command line, which stay text: ``[1, 2]`` would be read as a list."""

from __future__ import annotations

import json
from collections.abc import Iterable

import yaml

# the last part of options that name a file or a folder, and never anything else
_PATHS = frozenset(
    [
        "behaviors",
        "cache_folder",
        "default_root_dir",
        "dirpath",
        "encoder",
        "folder",
        "items",
        "metadata",
        "ratings",
        "reviews",
        "save_dir",
        "test_behaviors",
        "test_ratings",
        "test_texts",
        "texts",
        "users",
        "validation_behaviors",
        "validation_ratings",
        "validation_texts",
    ]
)


def with_paths_as_text(words: Iterable[str]) -> list[str]:
    """Quote the values of options that name files or folders where YAML would read a list or a mapping out of them.

    Example:
        >>> with_paths_as_text(["fit", "--data.cache_folder=[1, 2]", "--data.encoder", "{x: 1}", "--data.text.columns=[a]"])
        ['fit', '--data.cache_folder="[1, 2]"', '--data.encoder', '"{x: 1}"', '--data.text.columns=[a]']
    """
    found: list[str] = []
    expected = False  # whether the word before was an option that names a path
    for word in words:
        option, equals, value = word.partition("=")
        is_path = option.startswith("--") and option.lstrip("-").rpartition(".")[2] in _PATHS
        if is_path and equals:
            found.append(f"{option}={_quoted(value)}")
        else:
            found.append(_quoted(word) if expected else word)
        expected = is_path and not equals
    return found


def _quoted(value: str) -> str:
    try:
        is_text = not isinstance(yaml.safe_load(value), list | dict)
    except yaml.YAMLError:
        is_text = True  # as the parser takes it, too
    return value if is_text else json.dumps(value, ensure_ascii=False)
