"""StoredGraph: an approximate index as one file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from lit_rec.data.atomic import replace_file
from lit_rec.errors import CheckpointError

_FORMAT = 2


@dataclass(frozen=True)
class StoredGraph:
    """What a file holds: the graph, and what it was built of.

    Args:
        key: Hash of the vectors.
        options: Those that the graph was built with.
        centre: ``[D]``, what was taken from the vectors.
        scale: What they were multiplied by then.
        removed: Rows that are not in the graph.
        graph: uint8, as usearch writes it.
    """

    key: str
    options: dict[str, int]
    centre: Tensor
    scale: float
    removed: Tensor
    graph: Tensor

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            ConfigError: If it cannot be written.
        """
        content = {"lit_rec_index": _FORMAT, "check": _hash(self.graph), **vars(self)}
        replace_file(path, lambda work: torch.save(content, work))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            CheckpointError: If it is absent, damaged, or no index of this version.
        """
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            form, check = content.pop("lit_rec_index"), content.pop("check", None)
            stored = cls(**content) if form == _FORMAT else None
        except FileNotFoundError as error:
            raise _wrong(path, "there is no such file") from error
        except Exception as error:  # damaged files raise anything from OSError to IndexError
            raise _wrong(path, "it is no index, or a damaged one") from error
        if stored is None:
            raise _wrong(path, f"it has format {form}, this version of lit_rec reads {_FORMAT}")
        # a walk would follow damaged edges out of memory
        if check != _hash(stored.graph):
            raise _wrong(path, "it is no index, or a damaged one")
        return stored

    def check_key(self, key: str, *, where: str) -> None:
        """Check that the graph is of the vectors with this hash.

        Raises:
            CheckpointError: If it is of others.
        """
        if key != self.key:
            raise _wrong(
                Path(where), f"it is of other vectors ({self.key[:12]}, given are {key[:12]})"
            )


def _hash(graph: Tensor) -> str:
    return hashlib.sha256(graph.numpy().data).hexdigest()


def _wrong(path: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        problem,
        where=str(path),
        rule="a file that ApproximateIndex.save wrote, of the same vectors",
        remedy="build it again, or use ApproximateIndex.load_or_build",
    )
