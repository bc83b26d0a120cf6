"""Vectors that were computed before, by what they were made from: those of a checkpoint, and tables on disk."""

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

_TABLES = 8  # kept, the ones used last
_ENCODER = 32  # characters of what encodes in a folder's name
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
        """Return where each of ``inputs`` ``[m, 2]`` stands, -1 where it does not."""
        known = _frame(self.inputs).with_row_index("place").unique(["low", "high"], keep="first")
        wanted = _frame(inputs).join(known, on=["low", "high"], how="left", maintain_order="left")
        return wanted["place"].cast(pl.Int64).fill_null(-1).to_numpy()


@dataclass(frozen=True)
class CheckpointVectors:
    """The catalogue's vectors of a checkpoint, and what made them; see ``fingerprint_of``."""

    fingerprint: str
    known: KnownVectors


def assembled(inputs: Hashes, sources: Iterable[KnownVectors]) -> tuple[Tensor, Int64s]:
    """Take the vectors of some inputs ``[I, 2]`` from where they are known.

    Args:
        inputs: Of each row.
        sources: Looked at in this order until nothing is missing; one that has these rows and no others is returned as
            it lies.

    Returns:
        ``[I, D]`` float32 on the CPU, D being 0 where nothing is known; and the rows that are missing in it.
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


def _frame(inputs: Hashes) -> pl.DataFrame:
    return pl.DataFrame({"low": inputs[:, 0], "high": inputs[:, 1]})


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
