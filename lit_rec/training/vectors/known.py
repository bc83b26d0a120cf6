"""Vectors that were computed before, by what they were made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.item_inputs import Hashes, input_hashes
from lit_rec.training.checkpoint.content import catalogue_of, facts_of


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
    """The catalogue's vectors of a checkpoint, and what made them; see ``maker_of``."""

    maker: str
    known: KnownVectors


def vectors_of_checkpoint(content: dict[str, Any]) -> CheckpointVectors | None:
    """Return the catalogue's vectors of a checkpoint's content; None where it holds none."""
    entry = content["catalogue"]
    if entry["vectors"] is None or "maker" not in entry:
        return None
    inputs = input_hashes(catalogue_of(content, facts_of(content)))
    return CheckpointVectors(entry["maker"], KnownVectors(inputs, entry["vectors"]))


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


def _frame(inputs: Hashes) -> pl.DataFrame:
    return pl.DataFrame({"low": inputs[:, 0], "high": inputs[:, 1]})
