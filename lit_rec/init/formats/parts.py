"""Which part a file or a folder is, by a word in its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_WORDS = {
    "train": ("train", "training"),
    "validation": ("valid", "validation", "val", "dev"),
    "test": ("test", "testing", "eval"),
}


def parts_of(paths: Sequence[Path]) -> dict[str, Path] | None:
    """Return the path of each part; None where a name does not say its part, or two say the same.

    Args:
        paths: Files or folders.

    Example:
        >>> found = parts_of([Path("B.test.csv"), Path("B.train.csv")])
        >>> {part: path.name for part, path in found.items()}
        {'train': 'B.train.csv', 'test': 'B.test.csv'}
    """
    found: dict[str, Path] = {}
    for path in paths:
        words = re.split(r"[^a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", path.name).lower())
        named = [part for part, known in _WORDS.items() if set(known) & set(words)]
        if len(named) != 1 or named[0] in found:
            return None
        found[named[0]] = path
    return {part: found[part] for part in _WORDS if part in found}
