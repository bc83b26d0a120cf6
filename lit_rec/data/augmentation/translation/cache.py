"""TranslationCache: translations of texts by one pair of models, on disk, added as they are made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lit_rec.files.lock import FileLock


class TranslationCache:
    r"""A file with a line of JSON for each text; an interrupted run leaves all whole lines, and loses a torn one.

    Args:
        path: The file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cache = TranslationCache(Path(folder, "pair.jsonl"))
        ...     cache.add({"a film": ["a movie"]})
        ...     with cache.path.open("a") as file:
        ...         _ = file.write('\n{"text": "torn')
        ...     cache.add({"a song": ["a tune"]})
        ...     cache.read()
        {'a film': ['a movie'], 'a song': ['a tune']}
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from translating into the same file within a ``with`` block."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"))
        lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def read(self) -> dict[str, list[str]]:
        """Return all translations by text."""
        found: dict[str, list[str]] = {}
        if not self.path.is_file():
            return found
        for line in self.path.read_bytes().splitlines():
            try:
                entry = json.loads(line)
                text, made = entry["text"], entry["made"]
            except (ValueError, KeyError, TypeError):  # torn, or damaged: it is made again
                continue
            if isinstance(text, str) and isinstance(made, list):
                found[text] = [one for one in made if isinstance(one, str)]
        return found

    def add(self, made: Mapping[str, list[str]]) -> None:
        """Append translations; each line begins with a line break, which ends a torn one."""
        lines = (json.dumps({"text": text, "made": found}) for text, found in made.items())
        with self.path.open("a", encoding="ascii") as file:
            file.write("".join(f"\n{line}" for line in lines))
