"""What happens before the first step: a network meets the data that it will be trained on."""

from __future__ import annotations

import lightning
import numpy as np
import torch

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.errors import ConfigError, option_of
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


def check_vocabulary(network: Network, data: object) -> None:
    """Check the largest token of the data, and those that stand around a text.

    Args:
        network: Has the encoder, if there is one.
        data: The datamodule; one of another kind is not looked into.

    Raises:
        ConfigError: If the encoder has no vector for a token.
    """
    if network.backbone is None or not isinstance(data, BehaviorDataModule):
        return
    special = data.facts.special
    tokens = [*special.prefix, *special.suffix, special.pad]
    for catalogue in (data.catalogue, data.profiles):
        if catalogue is not None and len(catalogue.store.tokens):
            tokens.append(int(catalogue.store.tokens.max()))
    known = network.backbone.model.get_input_embeddings().num_embeddings  # type: ignore[operator]
    if max(tokens) >= known:
        raise ConfigError(
            f"its tokenizer makes token {max(tokens)}, and the encoder has vectors for {known:,}",
            where=f"{option_of(data, 'encoder')}={data.encoder}",
            rule="a tokenizer and an encoder that were trained together",
            remedy=f"name the same folder for {option_of(data, 'encoder')} and the backbone, "
            "with the tokenizer's files as they were saved",
        )
