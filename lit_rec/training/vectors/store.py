"""VectorStore: tables of vectors on disk, each of one state of a network and of one catalogue."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.batches.item_inputs import Hashes
from lit_rec.files.cache import cached, is_built, is_whole, remove_abandoned, remove_built
from lit_rec.training.vectors.known import KnownVectors

_TABLES = 8  # kept, the ones used last
_ENCODER = 32  # characters of what encodes in a folder's name
_NAME = re.compile(rf"[0-9a-f]{{{_ENCODER}}}-[0-9a-f]{{16}}")


class VectorStore:
    """Tables of one encoder in a folder that other encoders' tables lie in, too.

    A table is written whole or not at all, and never changed: a catalogue that has grown gets one of its own, for which
    what is in others is taken from there. Beyond eight tables, those go that were not used for longest.

    Args:
        folder: Where tables lie.
        encoder: Hash of what encodes.
    """

    def __init__(self, folder: Path, encoder: str) -> None:
        self._folder, self._encoder = folder, encoder[:_ENCODER]

    def sources(self, inputs: Hashes) -> Iterator[KnownVectors]:
        """Yield the table of ``inputs`` ``[I, 2]`` if it is there, then the encoder's other tables, newest first."""
        remove_abandoned(self._folder)
        key = _key(inputs)
        exact = self._folder / f"{self._encoder}-{key[:16]}"
        others = [path for path in _by_use(self._folder, f"{self._encoder}-*") if path != exact]
        for path, wanted in [(exact, key), *((path, None) for path in others)]:
            found = _opened(path, wanted)
            if found is not None:
                yield found

    def keep(self, inputs: Hashes, vectors: Tensor) -> Tensor:
        """Write a table ``[I, D]``, and return it as it lies there.

        Raises:
            ConfigError: If the folder cannot be written.
        """

        def write(folder: Path) -> None:
            np.save(folder / "inputs.npy", inputs)
            np.save(folder / "vectors.npy", vectors.numpy())

        path = cached(self._folder, self._encoder, _key(inputs), write)
        found = _opened(path, None)
        for old in _by_use(self._folder, "*")[_TABLES:]:
            remove_built(old)
        return vectors if found is None else found.vectors


def _key(inputs: Hashes) -> str:
    return hashlib.sha256(np.ascontiguousarray(inputs).tobytes()).hexdigest()


def _by_use(folder: Path, pattern: str) -> list[Path]:
    """Return the folders of tables, those used last first; what else lies there is not ours."""
    used = []
    for path in folder.glob(pattern):
        with suppress(OSError):  # another command may have taken it away
            if _NAME.fullmatch(path.name) and is_built(path):
                used.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(used, reverse=True)]


def _opened(path: Path, key: str | None) -> KnownVectors | None:
    """Return a table, memory-mapped; None where it is absent, damaged or cut."""
    if not is_whole(path, key):
        return None
    try:
        os.utime(path)
        inputs = np.load(path / "inputs.npy")
        # a private copy of what is written to: torch takes nothing that is read-only
        vectors = np.load(path / "vectors.npy", mmap_mode="c")
    except OSError:  # taken away meanwhile
        return None
    return KnownVectors(inputs, torch.from_numpy(vectors))
