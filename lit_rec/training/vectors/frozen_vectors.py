"""The catalogue as the encoder saw it before training, for baselines on frozen text."""

from __future__ import annotations

from dataclasses import replace

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.batches.batch import Texts
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.errors import LitRecError
from lit_rec.evaluation.baselines.frozen_ratings import unit_vectors
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.models.text.pooling import MeanPooling
from lit_rec.progress import slow_bar
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.vectors.encode import display
from lit_rec.training.vectors.text_tables import TextReader, TextTables


def readable_frozen_vectors(module: LitRec, data: BehaviorDataModule) -> Float64s | None:
    """Return the catalogue's vectors ``[I, F * width]``; None and a warning if the pretrained encoder is unreadable."""
    try:
        return frozen_item_vectors(module, data)
    except LitRecError as error:
        rank_zero_warn(f"The report has no frozen-text baselines: {error}")
        return None


def frozen_item_vectors(module: LitRec, data: BehaviorDataModule) -> Float64s:
    """Return the catalogue's vectors ``[I, F * width]`` by the encoder as it was before training.

    They are means over tokens, with the fields joined. Texts that this encoder has read before, for a report or for
    training, are found in the cache.
    """
    pretrained = module.new_network(data.facts, pretrained=True)
    # a network that reads no text is measured against text all the same
    backbone = pretrained.backbone or _named(data)
    reader = TextReader(backbone, MeanPooling(backbone.width), data.facts.special)
    reader = reader.to(module.device).eval()

    def encode(text: Int64s) -> Tensor:
        return _read(reader, data.catalogue.texts(text).to(module.device), module._trainer)

    tables = TextTables(reader, data, module.device)
    texts = np.arange(len(data.catalogue.store.offsets) - 1, dtype=np.int64)
    vectors = tables.of_this_process(texts, encode).cpu().double().numpy()
    return unit_vectors(vectors[data.catalogue.text_of_item])  # [I, F, width] -> [I, F * width]


@torch.no_grad()
def _read(reader: TextReader, texts: Texts, trainer: lightning.Trainer | None) -> Tensor:
    """Return the vectors of texts ``[P, width]``, on the CPU."""
    vectors = torch.zeros(len(texts), reader.backbone.width)
    encoded = 0
    within, shown = display(trainer)
    with slow_bar("encoding for baselines", len(texts), within=within, shown=shown) as advance:
        for chunk in texts.chunks(16_384, reader.special):
            pooled = reader.pooling(reader.backbone(chunk), chunk.mask)
            vectors[chunk.text_index.cpu()] = pooled.float().cpu()
            encoded += len(chunk.text_index)
            advance(encoded)
    return vectors


def _named(data: BehaviorDataModule) -> PretrainedBackbone:
    return PretrainedBackbone(replace(data.facts, backbone=None), data.encoder)
