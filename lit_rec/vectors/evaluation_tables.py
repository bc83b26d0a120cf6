"""The vectors that evaluation looks up: of every item of the catalogue, and of every user's profile."""

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
from lit_rec.models.networks.two_tower import Network
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
        key: What tells the weights from others; see ``weights_key``.
    """

    items: Tensor
    profiles: Tensor | None
    key: tuple[float, ...]

    def saved(self, weights: Mapping[str, Tensor], network: Network) -> dict[str, Any]:
        """Return what a checkpoint keeps of the table of items: nothing where it is of other weights than those saved.

        Args:
            weights: What is saved: a callback may have put averaged weights in the place of the present ones.
            network: What encoded.
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
    """Encode the catalogue and the profiles once, each item and each user in one of the processes, which all call this.

    In float32 whatever the training's precision, so that validate, predict and a Recommender agree. While weights are
    trained all are encoded; of weights that stay as they are, only what is known from nowhere, see ``CachedTables``.

    Args:
        module: A LightningModule with a ``network`` that is built.
        trainer: Has the data, and the display that a bar stands in.
        checkpoint: Vectors of the checkpoint that the weights may be from.
    """
    network: Network = module.network
    data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
    device = trainer.strategy.root_device
    kept = None
    if trainer.state.fn != "fit":
        kept = CachedTables(network, device, data.cache_folder / FOLDER, checkpoint)

    def table(catalogue: Catalogue, *, profiles: bool) -> Tensor:
        encoder = TableEncoder(network, catalogue, device, trainer, profiles=profiles)
        if kept is None:
            return encoder.encode_together(np.arange(len(catalogue)))
        return kept.table_of_all(catalogue, encoder.encode_together, profiles=profiles)

    return VectorTables(
        table(data.catalogue, profiles=False),
        None if data.profiles is None else table(data.profiles, profiles=True),
        weights_key(module.state_dict()),
    )
