"""Before the first step: check the vocabulary, encode frozen texts, calibrate a new network, fit its closed forms."""

from __future__ import annotations

import lightning
import numpy as np
import torch

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.rule import OrderedHistory
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.heads.item_neighbors import ItemNeighbors
from lit_rec.models.networks.network import Network
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.starts.rated_rows import RatedRows
from lit_rec.tasks.training_baskets import trained_rows, training_baskets
from lit_rec.training.vector_share import WITHOUT_ROWS
from lit_rec.vectors.frozen_texts import encode_frozen_texts

_AT_ONCE = 16_384  # items
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
    encode_frozen_texts(network, data, device, trainer)
    if trainer.ckpt_path is None:
        _calibrate(network, data, device)
        if isinstance(network, TwoTower) and network.neighbors is not None:
            _fit_neighbors(network, network.neighbors, data, device)
        if isinstance(network, TwoTower) and network.start is not None:
            known = np.flatnonzero(data.catalogue.vocab_row)
            texts, items = data.catalogue.take(known)
            network.fit_start(texts.to(device), items.to(device), rated_rows(data))


def predict_training_rows(network: Network, data: BehaviorDataModule) -> None:
    """Predict the training rows by what the network begins at, where it begins at a closed form of the rows.

    Args:
        network: The network, with the weights of the run that goes on, if one does.
        data: The data.
    """
    if isinstance(network, TwoTower) and network.start is not None:
        network.start.predict_rows(rated_rows(data), len(data.prepared))


def rated_rows(data: BehaviorDataModule) -> RatedRows:
    """Return the training rows that have a rating, by user and time."""
    prepared = data.prepared
    row = prepared.rows_of("train")
    row = row[~np.isnan(prepared.rating[row])]
    user = np.asarray(prepared.user[row], np.int64)
    past = None
    if isinstance(data.history, OrderedHistory):
        # a place among these rows, in place of one among all rows
        past = np.searchsorted(row, prepared.past_end[row])
        past = past - np.searchsorted(row, prepared.offsets[user])
    return RatedRows(
        user,
        data.catalogue.vocab_row[prepared.item[row]],
        np.asarray(prepared.rating[row], np.float64),
        np.asarray(prepared.timestamp[row], np.float64),
        row,
        past,
    )


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


@torch.no_grad()
def _fit_neighbors(
    network: TwoTower, part: ItemNeighbors, data: BehaviorDataModule, device: torch.device
) -> None:
    """Fit what items say of others on the training rows; every process does, and gets the same.

    Args:
        network: A calibrated network.
        part: Its neighbors.
        data: The data.
        device: Where the network is.
    """
    row = data.catalogue.vocab_row
    known = np.flatnonzero(row)
    known = known[np.argsort(row[known])]
    text = None
    if part.reads_text:
        blocks = [
            data.catalogue.take(some) for some in np.array_split(known, len(known) // _AT_ONCE + 1)
        ]
        with evaluation_mode(network):
            found = [
                network.unit_texts(texts.to(device), items.to(device)) for texts, items in blocks
            ]
        text = torch.cat([each for each in found if each is not None])
    part.fit(training_baskets(data, trained_rows(data)).among(row - 1, len(known)), text)
    if part.chooses_share and not len(data.prepared.rows_of("val")):
        part.vector_share.fill_(WITHOUT_ROWS)


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
