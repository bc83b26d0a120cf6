"""Names of files and folders on the command line stay text: YAML would read ``[1, 2]`` as a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonargparse
import yaml

from lit_rec.cli.options.strict_yaml import MODE, load_strictly

# last parts of options that always name a file or a folder
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


def keep_paths_as_text(words: Iterable[str]) -> None:
    """Make jsonargparse read YAML strictly, and names of files or folders as text, until the next call.

    jsonargparse leaves a value unchanged that YAML cannot read. So its YAML reader refuses names that look like a list
    or a mapping.
    """
    texts = set(paths_like_lists(words))

    def loaded(value: str) -> Any:
        if value in texts:
            raise yaml.YAMLError("the name of a file or a folder")
        return load_strictly(value)

    # files, values of the command line and texts within files all pass through it
    jsonargparse.set_loader(MODE, loaded, (yaml.YAMLError,))


def paths_like_lists(words: Iterable[str]) -> list[str]:
    """Return names of files or folders, given as options, that YAML would read as a list or a mapping.

    Example:
        >>> words = ["fit", "--data.cache_folder=[1, 2]", "--data.encoder", "{x: 1}", "--data.text.columns=[a]"]
        >>> paths_like_lists(words)
        ['[1, 2]', '{x: 1}']
    """
    values = []
    expected = False  # whether the word before was an option that names a path
    for word in words:
        option, equals, value = word.partition("=")
        is_path = option.startswith("--") and option.lstrip("-").rpartition(".")[2] in _PATHS
        if is_path and equals:
            values.append(value)
        elif expected:
            values.append(word)
        expected = is_path and not equals
    return [value for value in values if _is_like_a_list(value)]


def _is_like_a_list(value: str) -> bool:
    try:
        return isinstance(yaml.safe_load(value), list | dict)
    except yaml.YAMLError:
        return False
