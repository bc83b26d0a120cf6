"""Texts of an encoder of which something is not trained: what that makes of them, computed before training."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import lightning
import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import Texts
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import Network
from lit_rec.progress import slow_bar
from lit_rec.training.vectors.encode import display
from lit_rec.training.vectors.shared_work import brought_together, own_part
from lit_rec.training.vectors.text_tables import TextReader, TextTables

_TEXTS_AT_ONCE = 16_384


def encode_frozen_texts(
    network: Network,
    data: BehaviorDataModule,
    device: torch.device,
    trainer: lightning.Trainer | None,
) -> None:
    """Compute what training will not change of the texts that training and validation will ask for, and keep it.

    The vectors of a frozen encoder's texts, found in the cache or computed in one of the processes, and kept in all; or
    what leaves the lower layers of one whose top is trained, which each process computes for itself.

    In the store's order: a vector's last bits depend on the texts beside it, and a resumed run has to have those of the
    run that was never stopped, whose batches asked for them in another order.

    Args:
        network: Whose item encoders keep texts; nothing is done for others.
        data: Has the texts.
        device: Where the network is.
        trainer: In whose display a bar stands; None: there is no other.
    """
    catalogue = data.catalogue
    for encoder in network.modules():
        if not isinstance(encoder, ItemEncoder) or catalogue.name is None:
            continue
        if encoder.kept_texts:
            text = _asked_for(network, data)
            text = text[text < encoder.kept_texts]
            reader = TextReader(encoder.backbone, encoder.pooling, encoder.special)
            encode = partial(_encoded, encoder, catalogue, device=device, trainer=trainer)
            vectors = TextTables(reader, data, device).of_all_processes(text, encode)
            encoder.keep(catalogue.name, torch.from_numpy(text).to(device), vectors)
        elif encoder.kept_tokens:
            text = _asked_for(network, data)
            tokens = _tokens(encoder, catalogue, text)
            if tokens <= encoder.kept_tokens:
                with evaluation_mode(encoder):
                    encoder.keep_states(_blocks(catalogue, text, device, trainer), tokens)


def _asked_for(network: Network, data: BehaviorDataModule) -> Int64s:
    """Return the texts that training and evaluation ask for.

    They are those of all items where evaluation has a table of them, else of those that training and validation name
    or show.
    """
    items = np.arange(len(data.catalogue))
    if not network.has_item_table:
        rows = [data.prepared.rows_of(part) for part in ("train", "val", "shown")]
        items = np.unique(data.prepared.item[np.concatenate(rows)])
    return np.unique(data.catalogue.text_of_item[items])


def _tokens(encoder: ItemEncoder, catalogue: Catalogue, text: Int64s) -> int:
    """Return how many tokens some texts have together, special ones included."""
    added = len(encoder.special.prefix) + len(encoder.special.suffix)
    return int(np.diff(catalogue.store.offsets)[text].sum()) + added * len(text)


def _encoded(
    encoder: ItemEncoder,
    catalogue: Catalogue,
    text: Int64s,
    device: torch.device,
    trainer: lightning.Trainer | None,
) -> Tensor:
    """Return the texts' vectors ``[P, width of the encoder]``."""
    with evaluation_mode(encoder):
        blocks = _blocks(catalogue, own_part(text), device, trainer)
        vectors = torch.cat([encoder.encode_anew(texts) for texts in blocks])
        return brought_together(vectors, len(text))


def _blocks(
    catalogue: Catalogue, text: Int64s, device: torch.device, trainer: lightning.Trainer | None
) -> Iterator[Texts]:
    """Yield texts, some at a time, and show how far they are; one block of none where there are none."""
    within, shown = display(trainer)
    with slow_bar("encoding the texts", len(text), within=within, shown=shown) as advance:
        for start in range(0, max(len(text), 1), _TEXTS_AT_ONCE):
            texts = catalogue.texts(text[start : start + _TEXTS_AT_ONCE])
            yield texts.to(device)
            advance(start + len(texts))
