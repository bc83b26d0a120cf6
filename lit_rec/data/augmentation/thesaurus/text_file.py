"""A thesaurus in a text file: ``word: synonym, synonym``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lit_rec.errors import ConfigError, DataError, excerpt

_RULE = "lines of `word: synonym, synonym` in UTF-8"


def read_thesaurus(path: Path, option: str) -> Mapping[str, tuple[str, ...]]:
    """Return the synonyms of each word, which is in small letters.

    Args:
        path: The file.
        option: The option that names it.

    Raises:
        ConfigError: If there is no such file, or it cannot be read.
        DataError: If a line is none of a word and its synonyms.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read, seen from {Path.cwd()} ({getattr(error, 'strerror', None) or 'it is no UTF-8'})",
            where=option,
            rule=_RULE,
            remedy="check the path, or leave the option out to use WordNet",
        ) from error
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, _, rest = line.partition(":")
        key = word.strip().lower()
        synonyms = [one.strip() for one in rest.split(",")]
        synonyms = [one for one in synonyms if one and one.lower() != key]
        if not key or not synonyms:
            raise DataError(
                excerpt(line),
                where=f"{path}, line {number}",
                rule=_RULE,
                remedy="write a word, a colon and its synonyms, or take the line out",
            )
        found[key] = tuple(dict.fromkeys([*found.get(key, ()), *synonyms]))
    if not found:
        raise DataError(
            "it has no synonyms",
            where=str(path),
            rule=_RULE,
            remedy="write a line, for example `film: movie, picture`",
        )
    return found
