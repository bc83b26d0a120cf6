"""The catalogue as the encoder saw it before training, for baselines on frozen text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_warn

from lit_rec.data.batches import Texts
from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.data.slow_bar import slow_bar
from lit_rec.errors import LitRecError
from lit_rec.evaluation.frozen_text import unit_vectors
from lit_rec.evaluation.rows import Floats
from lit_rec.models.backbone import PretrainedBackbone
from lit_rec.models.pooling import MeanPooling
from lit_rec.training.item_table import display
from lit_rec.training.lit_rec import LitRec


def readable_frozen_vectors(module: LitRec, data: BehaviorDataModule) -> Floats | None:
    """Return the catalogue's vectors ``[I, F * width]``, or None and a warning where the pretrained encoder cannot be read."""
    try:
        return frozen_item_vectors(module, data)
    except LitRecError as error:
        rank_zero_warn(f"The report has no frozen-text baselines: {error}")
        return None


@torch.no_grad()
def frozen_item_vectors(module: LitRec, data: BehaviorDataModule) -> Floats:
    """Return the catalogue's vectors by the encoder as it was before training, mean over tokens, fields joined, ``[I, F * width]``."""
    pretrained = module.new_network(data.facts, pretrained=True).to(module.device).eval()
    # a network that reads no text is measured against text all the same
    backbone = pretrained.backbone or _named(data).to(module.device)
    pooling = MeanPooling(backbone.width)
    store = data.catalogue.store
    everything = np.arange(len(store.offsets) - 1, dtype=np.int64)
    vectors = np.zeros((len(everything), backbone.width))
    texts = Texts(
        torch.from_numpy(np.array(store.tokens)), torch.from_numpy(np.array(store.offsets))
    )
    encoded = 0
    within, shown = display(module._trainer)
    with slow_bar("encoding for baselines", len(texts), within=within, shown=shown) as advance:
        for chunk in texts.to(module.device).chunks(16_384, data.facts.special):
            pooled = pooling(backbone(chunk), chunk.mask)
            vectors[chunk.text_index.cpu().numpy()] = pooled.float().cpu().numpy()
            encoded += len(chunk.text_index)
            advance(encoded)
    return unit_vectors(vectors[data.catalogue.text_of_item])  # [I, F, width] -> [I, F * width]


def _named(data: BehaviorDataModule) -> PretrainedBackbone:
    return PretrainedBackbone(replace(data.facts, backbone=None), data.encoder).eval()
