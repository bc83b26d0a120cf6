"""Vectors that were computed before, found by their inputs: those of a checkpoint, and tables on disk."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.item_inputs import Hashes
from lit_rec.files.cache import cached, is_built, is_whole, remove_abandoned, remove_built

_TABLES = 8  # how many stay on disk: those used last
_ENCODER = 32  # characters of the encoder's hash in a folder's name
_NAME = re.compile(rf"[0-9a-f]{{{_ENCODER}}}-[0-9a-f]{{16}}")


@dataclass(frozen=True)
class KnownVectors:
    """Vectors of some inputs.

    Args:
        inputs: ``[n, 2]``, see ``input_hashes``.
        vectors: ``[n, D]`` float32 on the CPU.
    """

    inputs: Hashes
    vectors: Tensor

    def places_of(self, inputs: Hashes) -> Int64s:
        """Return the row of each of ``inputs`` ``[m, 2]``, -1 where there is none."""
        known = _frame(self.inputs).with_row_index("place").unique(["low", "high"], keep="first")
        wanted = _frame(inputs).join(known, on=["low", "high"], how="left", maintain_order="left")
        return wanted["place"].cast(pl.Int64).fill_null(-1).to_numpy()


@dataclass(frozen=True)
class CheckpointVectors:
    """The catalogue's vectors of a checkpoint, and the fingerprint of their encoder; see ``fingerprint_of``."""

    fingerprint: str
    known: KnownVectors


def assembled(inputs: Hashes, sources: Iterable[KnownVectors]) -> tuple[Tensor, Int64s]:
    """Collect the vectors of some inputs ``[I, 2]`` from several sources.

    Args:
        inputs: Hashes of each row's inputs.
        sources: Read in this order until nothing is missing. If one has exactly these rows, its tensor is returned.

    Returns:
        ``[I, D]`` float32 on the CPU, with D of 0 where nothing is known; and the rows that are missing in it.
    """
    table, missing = torch.empty(len(inputs), 0), np.arange(len(inputs))
    for source in sources:
        if np.array_equal(source.inputs, inputs):
            return source.vectors, missing[:0]
        place = source.places_of(inputs[missing])
        found = place >= 0
        if len(missing) == len(inputs):
            table = torch.empty(len(inputs), source.vectors.shape[1])
        rows = torch.from_numpy(missing[found])
        table[rows] = source.vectors[torch.from_numpy(place[found])]
        missing = missing[~found]
        if not len(missing):
            break
    return table, missing


class VectorStore:
    """Tables of one encoder, in a folder shared with other encoders' tables.

    A table is written whole or not at all, and never changed. A larger catalogue gets a new table, which takes known
    vectors from the others. Of more than eight tables, those used longest ago are removed.

    Args:
        folder: Holds the tables.
        encoder: Hash of the encoder.
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

    def add(self, inputs: Hashes, vectors: Tensor) -> Tensor:
        """Write a table ``[I, D]``, and return it, memory-mapped if it can be read.

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


def _frame(inputs: Hashes) -> pl.DataFrame:
    return pl.DataFrame({"low": inputs[:, 0], "high": inputs[:, 1]})


def _key(inputs: Hashes) -> str:
    return hashlib.sha256(np.ascontiguousarray(inputs).tobytes()).hexdigest()


def _by_use(folder: Path, pattern: str) -> list[Path]:
    """Return the folders of tables, those used last first; other files there are not ours."""
    used = []
    for path in folder.glob(pattern):
        with suppress(OSError):  # another command may have removed it
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
        # copy-on-write: torch accepts no read-only array
        vectors = np.load(path / "vectors.npy", mmap_mode="c")
    except OSError:  # removed meanwhile
        return None
    return KnownVectors(inputs, torch.from_numpy(vectors))
