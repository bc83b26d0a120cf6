"""CachedTables: vectors from a checkpoint or from disk; only what is in neither is encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch import Tensor, nn

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.item_inputs import input_hashes
from lit_rec.errors import ConfigError
from lit_rec.files.cache import hash_of
from lit_rec.processes import is_first, tensor_of_first, value_of_first
from lit_rec.vectors.fingerprint import fingerprint_of, place_of
from lit_rec.vectors.store import CheckpointVectors, KnownVectors, VectorStore, assembled

_ITEMS = ("item vectors", "items")


class CachedTables:
    """Tables of vectors by one state of a network.

    Args:
        network: Encodes, or is a part of a network that does; if its weights are divided, every process builds this.
        device: Where the network is.
        folder: Where tables are on disk; None: nothing is read or written there.
        checkpoint: Vectors of a checkpoint, used if this network made them.
    """

    def __init__(
        self,
        network: nn.Module,
        device: torch.device,
        folder: Path | None,
        checkpoint: CheckpointVectors | None = None,
    ) -> None:
        self._device, self._folder = device, folder
        self._fingerprint = fingerprint_of(network, network.state_dict())
        same = checkpoint is not None and checkpoint.fingerprint == self._fingerprint
        self._known = checkpoint.known if checkpoint is not None and same else None

    def table(
        self,
        catalogue: Catalogue,
        encode: Callable[[Int64s], Tensor],
        named: tuple[str, str] = _ITEMS,
    ) -> Tensor:
        """Return the vectors of a catalogue's items ``[I, D]``, in this process alone.

        Args:
            catalogue: The items.
            encode: From rows ``[n]`` to their vectors ``[n, D]``.
            named: Names of the vectors and of the rows in messages.
        """
        found = self._look(catalogue, profiles=False)
        _log_counts(*named, len(catalogue), len(found.missing))
        fresh = encode(found.missing) if len(found.missing) else None
        return found.completed(fresh).to(self._device)

    def table_of_all(
        self,
        catalogue: Catalogue,
        encode: Callable[[Int64s], Tensor],
        *,
        profiles: bool = False,
        named: tuple[str, str] = _ITEMS,
    ) -> Tensor:
        """Return a table ``[I, D]`` on every process; all of them call this, and the first one reads known vectors.

        Args:
            catalogue: The items, or the users with their profiles.
            encode: From rows ``[n]`` to their vectors ``[n, D]``, on every process.
            profiles: Whether the catalogue is one of profiles.
            named: Names of the vectors and of the rows in messages, if it is not.
        """
        found = self._look(catalogue, profiles=profiles) if is_first() else None
        missing = value_of_first(np.empty(0, np.int64) if found is None else found.missing)
        names = ("profile vectors", "users") if profiles else named
        _log_counts(*names, len(catalogue), len(missing))
        fresh = encode(missing) if len(missing) else None
        return tensor_of_first(None if found is None else found.completed(fresh), self._device)

    def _look(self, catalogue: Catalogue, *, profiles: bool) -> _Table:
        store = None
        if self._folder is not None:
            what = "profiles" if profiles else "items"
            encoder = hash_of([self._fingerprint, place_of(self._device), what])
            store = VectorStore(self._folder, encoder)
        return _Table(catalogue, store, None if profiles else self._known)


class _Table:
    """A table, and the rows that are missing in it."""

    def __init__(
        self, catalogue: Catalogue, store: VectorStore | None, known: KnownVectors | None
    ) -> None:
        self._store, self._inputs = store, input_hashes(catalogue)

        def sources() -> Iterator[KnownVectors]:
            if known is not None:
                yield known
            if store is not None:
                yield from store.sources(self._inputs)

        self._vectors, self.missing = assembled(self._inputs, sources())

    def completed(self, fresh: Tensor | None) -> Tensor:
        """Return the whole table ``[I, D]`` on the CPU, and write it to disk if anything was missing.

        Args:
            fresh: Vectors of the missing rows; None where none are.
        """
        if fresh is None:
            return self._vectors
        whole = fresh.detach().cpu()
        if len(self.missing) < len(self._inputs):
            self._vectors[torch.from_numpy(self.missing)] = whole
            whole = self._vectors
        if self._store is not None:
            try:
                return self._store.add(self._inputs, whole)
            except ConfigError as error:  # without it, the next command encodes again
                rank_zero_warn(f"Vectors are not cached: {error}")
        return whole


def _log_counts(what: str, things: str, count: int, encoded: int) -> None:
    found = count - encoded
    rank_zero_info(f"{what}: {count:,} {things}, {found:,} found, {encoded:,} encoded")
