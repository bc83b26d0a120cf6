"""VectorTables: vectors of every item and every user's profile, which evaluation looks up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightning
import numpy as np
from torch import Tensor

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.models.networks.network import Network
from lit_rec.vectors.cached_table import CachedTables
from lit_rec.vectors.encode import TableEncoder
from lit_rec.vectors.fingerprint import fingerprint_of, weights_key
from lit_rec.vectors.store import CheckpointVectors

FOLDER = "vectors"  # in the cache


@dataclass(frozen=True)
class VectorTables:
    """Vectors of one state of a network's weights.

    Args:
        items: ``[I, D]`` float32.
        profiles: ``[U, D]`` float32, where the data has profiles.
        key: Identifies the weights; see ``weights_key``.
    """

    items: Tensor
    profiles: Tensor | None
    key: tuple[float, ...]

    def saved(self, weights: Mapping[str, Tensor], network: Network) -> dict[str, Any]:
        """Return the stored form of the table of items; empty if the saved weights are others than the table's.

        Args:
            weights: The saved weights: a callback may save averaged weights instead of the current ones.
            network: Made the table.
        """
        if self.key != weights_key(weights):
            return {}
        prefix = "network."
        own = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
        return {"vectors": self.items.detach().cpu().clone(), "maker": fingerprint_of(network, own)}

    def look_up(self, batch: RecBatch) -> tuple[Tensor, Tensor | None]:
        """Return the vectors of a batch's items ``[N, D]`` and of its profiles ``[M, D]``."""
        given = batch.users.profiles
        profiles = None
        if given is not None and self.profiles is not None:
            profiles = self.profiles[given.users.catalogue_row]
        return self.items[batch.items.catalogue_row], profiles


def vector_tables(
    module: Any, trainer: lightning.Trainer, checkpoint: CheckpointVectors | None
) -> VectorTables:
    """Encode the catalogue and the profiles once, divided among the processes, which all call this.

    Computed in float32 whatever the training's precision, so that validate, predict and a Recommender agree. During
    training all are encoded. Otherwise only vectors that are not stored or cached are encoded, see ``CachedTables``.

    Args:
        module: A LightningModule with a ``network`` that is built.
        trainer: Has the data, and the display for a bar.
        checkpoint: Vectors of the checkpoint that the weights may be from.
    """
    network: Network = module.network
    data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
    device = trainer.strategy.root_device
    cached = None
    if trainer.state.fn != "fit":
        cached = CachedTables(network, device, data.cache_folder / FOLDER, checkpoint)

    def table(catalogue: Catalogue, *, profiles: bool) -> Tensor:
        encoder = TableEncoder(network, catalogue, device, trainer, profiles=profiles)
        if cached is None:
            return encoder.encode_together(np.arange(len(catalogue)))
        return cached.table_of_all(catalogue, encoder.encode_together, profiles=profiles)

    return VectorTables(
        table(data.catalogue, profiles=False),
        None if data.profiles is None else table(data.profiles, profiles=True),
        weights_key(module.state_dict()),
    )
