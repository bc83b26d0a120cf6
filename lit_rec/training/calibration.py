"""Have a new network look at what it will be trained on."""

from __future__ import annotations

import lightning
import numpy as np
import torch

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.models.networks.two_tower import Network
from lit_rec.vectors.frozen_texts import encode_frozen_texts

_SEEN = 2048  # items, or users: enough for a mean and a spread


def look_before_training(
    network: Network, trainer: lightning.Trainer, device: torch.device
) -> None:
    """Encode what no step will change, and have a new network measure its inputs once; a resumed one has.

    Args:
        network: About to be trained.
        trainer: Of the run, with its data.
        device: Where the network is.
    """
    data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
    encode_frozen_texts(network, data, device, trainer)
    if trainer.ckpt_path is None:
        _calibrate(network, data, device)


def _calibrate(network: Network, data: BehaviorDataModule, device: torch.device) -> None:
    """Show a network items and profiles of the training rows.

    It sees all items where it wants them all, else some, drawn by a seed of its own.

    Args:
        network: Not yet trained.
        data: Has the catalogue and the profiles.
        device: Where the network is.
    """
    for catalogue, look, looks_at_all in (
        (data.catalogue, network.calibrate, network.looks_at_all),
        (data.profiles, network.calibrate_profiles, False),
    ):
        if catalogue is not None:
            known = np.flatnonzero(catalogue.vocab_row)
            number = len(known) if looks_at_all else _SEEN
            chosen = np.random.default_rng(0).permutation(known)[:number]
            texts, entities = catalogue.take(np.sort(chosen))
            look(texts.to(device), entities.to(device))
