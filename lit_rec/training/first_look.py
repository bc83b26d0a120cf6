"""Before the first step: check the vocabulary, encode frozen texts, calibrate a new network, fit its closed forms."""

from __future__ import annotations

import lightning
import numpy as np
import torch

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.networks.network import Network
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.training.closed_forms import fit_closed_forms
from lit_rec.training.read_variants import refuse_cached_variants
from lit_rec.vectors.frozen_texts import encode_frozen_texts

_CALIBRATED = 2048  # items, or users: enough for a mean and a spread


def look_before_training(
    network: Network, trainer: lightning.Trainer, device: torch.device
) -> None:
    """Encode the texts of frozen encoders, and calibrate a new network; a resumed one is calibrated already.

    Args:
        network: The network that will be trained.
        trainer: The run's Trainer, with its data.
        device: Where the network is.
    """
    data: BehaviorDataModule = trainer.datamodule  # type: ignore[attr-defined]
    refuse_cached_variants(network, data)
    encode_frozen_texts(network, data, device, trainer)
    if trainer.ckpt_path is None:
        _calibrate(network, data, device)
        fit_closed_forms(network, data, device)


def _calibrate(network: Network, data: BehaviorDataModule, device: torch.device) -> None:
    """Calibrate a network on items and profiles of the training rows.

    It gets all items if it needs all, else a sample drawn with a fixed seed.

    Args:
        network: A network that is not trained yet.
        data: The data, with the catalogue and the profiles.
        device: Where the network is.
    """
    for catalogue, look, looks_at_all in (
        (data.catalogue, network.calibrate, network.looks_at_all),
        (data.profiles, network.calibrate_profiles, False),
    ):
        if catalogue is not None:
            known = np.flatnonzero(catalogue.vocab_row)
            number = len(known) if looks_at_all else _CALIBRATED
            chosen = np.random.default_rng(0).permutation(known)[:number]
            texts, entities = catalogue.take(np.sort(chosen))
            look(texts.to(device), entities.to(device))


def check_vocabulary(network: Network, data: object) -> None:
    """Check that the encoder has a vector for the largest token of the data, and for special tokens.

    Args:
        network: The network; one without an encoder is not checked.
        data: The datamodule; one of another kind is not checked.

    Raises:
        ConfigError: If the encoder has no vector for a token.
    """
    if network.backbone is None or not isinstance(data, BehaviorDataModule):
        return
    special = data.facts.special
    tokens = [*special.prefix, *special.suffix, special.pad]
    variants = data.variants if data.trainer and data.trainer.state.fn == "fit" else None
    for texts in (data.catalogue, data.profiles, variants):
        if texts is not None and len(texts.store.tokens):
            tokens.append(int(texts.store.tokens.max()))
    known = network.backbone.tokens
    if max(tokens) >= known:
        encoder = option_of(data, "encoder")
        same = f"name the same folder for {encoder} and the backbone, with the tokenizer's files as they were saved"
        if isinstance(network.backbone, ConfiguredBackbone):
            options = option_of(network.backbone, "options")
            same = f"set vocab_size of {options} to {max(tokens) + 1} or more"
        raise ConfigError(
            f"its tokenizer makes token {max(tokens)}, and the encoder has vectors for {known:,}",
            where=f"{option_of(data, 'encoder')}={data.encoder}",
            rule="a tokenizer and an encoder that were trained together",
            remedy=same,
        )
