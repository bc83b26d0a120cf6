"""The vectors that evaluation looks up: of every item of the catalogue, and of every user's profile."""

from __future__ import annotations

from dataclasses import dataclass

import lightning
import torch
from torch import Tensor

from lit_rec.data.batches import RecBatch
from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.models.networks import Network
from lit_rec.training.item_table import item_table, profile_table
from lit_rec.training.weights import weights_key


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

    def look_up(self, batch: RecBatch) -> tuple[Tensor, Tensor | None]:
        """Return the vectors of a batch's items ``[N, D]`` and of its profiles ``[M, D]``."""
        given = batch.users.profiles
        profiles = None
        if given is not None and self.profiles is not None:
            profiles = self.profiles[given.users.catalogue_row]
        return self.items[batch.items.catalogue_row], profiles


def vector_tables(
    module: torch.nn.Module,
    network: Network,
    data: BehaviorDataModule,
    trainer: lightning.Trainer,
) -> VectorTables:
    """Encode the catalogue and the profiles once, in evaluation mode.

    In float32 whatever the training's precision, so that validate, predict and a Recommender agree.

    Args:
        module: Whose weights the key is of.
        network: Encodes.
        data: Has the catalogue and the profiles.
        trainer: In whose display a bar stands.
    """
    device = trainer.strategy.root_device
    profiles = data.profiles
    return VectorTables(
        item_table(network, data.catalogue, device, trainer),
        None if profiles is None else profile_table(network, profiles, device, trainer),
        weights_key(module.state_dict()),
    )
