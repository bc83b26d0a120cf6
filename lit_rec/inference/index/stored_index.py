"""StoredIndex: the file of an approximate index."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from lit_rec.errors import CheckpointError
from lit_rec.files.atomic import replace_file
from lit_rec.files.tensor_file import save_tensors
from lit_rec.inference.index.item_lists import ItemLists, Reading, needed_faiss

_FORMAT = 3


@dataclass(frozen=True)
class StoredIndex:
    """The content of a file: the lists, and a hash of their vectors.

    Args:
        key: Hash of the vectors.
        options: Options that the index was built with.
        removed: Rows that cannot be found.
        lists: ``centre`` and ``rotation`` of ItemLists, and ``lists`` as faiss serializes them (uint8); None if all
            items are compared.
    """

    key: str
    options: dict[str, int]
    removed: Tensor
    lists: dict[str, Tensor] | None

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            ConfigError: If it cannot be written.
        """
        content = {"lit_rec_index": _FORMAT, "check": _hash(self.lists), **vars(self)}
        replace_file(path, partial(save_tensors, content))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            CheckpointError: If it is absent, damaged, or not an index of this version.
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
        # with damaged sizes, faiss would read outside its memory
        if check != _hash(stored.lists):
            raise _wrong(path, "it is no index, or a damaged one")
        return stored

    def check_key(self, key: str, path: Path) -> None:
        """Check that the index was built of the vectors with this hash.

        Raises:
            CheckpointError: If it was built of others.
        """
        if key != self.key:
            raise _wrong(path, f"it is of other vectors ({self.key[:12]}, given are {key[:12]})")

    def item_lists(self, path: Path, reading: Reading) -> ItemLists | None:
        """Return the lists, if there are any.

        Args:
            path: The file, for the error.
            reading: The part of the lists that a search reads.

        Raises:
            CheckpointError: If this version of faiss cannot read them.
            ConfigError: If faiss is not installed.
        """
        if self.lists is None:
            return None
        try:
            lists = needed_faiss().deserialize_index(self.lists["lists"].numpy())
        except RuntimeError as error:
            said = str(error).strip().splitlines()[-1]
            raise _wrong(path, f"this version of faiss cannot read it: {said}") from error
        return ItemLists(self.lists["centre"], self.lists["rotation"], lists, reading)


def _hash(lists: dict[str, Tensor] | None) -> str:
    found = hashlib.sha256()
    for name, part in sorted((lists or {}).items()):
        found.update(name.encode() + part.numpy().tobytes())
    return found.hexdigest()


def _wrong(path: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        problem,
        where=str(path),
        rule="a file that ApproximateIndex.save wrote, of the same vectors",
        remedy="build it again, or use ApproximateIndex.load_or_build",
    )
