"""Texts of an encoder that is not trained, encoded before training."""

from __future__ import annotations

import lightning
import numpy as np
import torch
from torch import Tensor

from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.data.catalogue import Catalogue, Int64s
from lit_rec.data.slow_bar import slow_bar
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.item_encoder import ItemEncoder
from lit_rec.models.networks import Network
from lit_rec.training.item_table import display
from lit_rec.training.shared_work import brought_together, own_part

_TEXTS_AT_ONCE = 16_384


def encode_frozen_texts(
    network: Network, data: BehaviorDataModule, device: torch.device, trainer: lightning.Trainer
) -> None:
    """Encode the texts that training and validation will ask a frozen encoder for, each in one of the processes, and keep them in all.

    In the store's order: a vector's last bits depend on the texts beside it, and a resumed run has to have those of the run that was
    never stopped, whose batches asked for them in another order.

    Args:
        network: Whose item encoders keep texts; nothing is done for others.
        data: Has the texts.
        device: Where the network is.
        trainer: In whose display a bar stands.
    """
    catalogue = data.catalogue
    for encoder in network.modules():
        if isinstance(encoder, ItemEncoder) and encoder.kept_texts and catalogue.name is not None:
            text = _asked_for(network, data)
            text = text[text < encoder.kept_texts]
            vectors = _encoded(encoder, catalogue, text, device, trainer)
            encoder.keep(catalogue.name, torch.from_numpy(text).to(device), vectors)


def _asked_for(network: Network, data: BehaviorDataModule) -> Int64s:
    """Return the texts of all items where evaluation has a table of them, else of those that training and validation name or show."""
    items = np.arange(len(data.catalogue))
    if not network.has_item_table:
        rows = [data.prepared.rows_of(part) for part in ("train", "val", "shown")]
        items = np.unique(data.prepared.item[np.concatenate(rows)])
    return np.unique(data.catalogue.text_of_item[items])


def _encoded(
    encoder: ItemEncoder,
    catalogue: Catalogue,
    text: Int64s,
    device: torch.device,
    trainer: lightning.Trainer,
) -> Tensor:
    """Return the texts' vectors ``[P, width of the encoder]``."""
    own, parts = own_part(text), []
    within, shown = display(trainer)
    with (
        slow_bar("encoding the texts", len(own), within=within, shown=shown) as advance,
        evaluation_mode(encoder),
    ):
        for start in range(0, max(len(own), 1), _TEXTS_AT_ONCE):
            texts = catalogue.texts(own[start : start + _TEXTS_AT_ONCE])
            parts.append(encoder.encode_anew(texts.to(device)))
            advance(start + len(texts))
        return brought_together(torch.cat(parts), len(text))
