"""The catalogue as the encoder saw it before training, for baselines on frozen text."""

from __future__ import annotations

from dataclasses import replace

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from lit_rec.data.batches import Texts
from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.data.catalogue import Catalogue, Int64s
from lit_rec.data.slow_bar import slow_bar
from lit_rec.data.tokens import SpecialTokens
from lit_rec.errors import LitRecError
from lit_rec.evaluation.frozen_text import unit_vectors
from lit_rec.evaluation.rows import Floats
from lit_rec.models.backbone import Backbone, PretrainedBackbone
from lit_rec.models.pooling import MeanPooling
from lit_rec.training.item_table import display
from lit_rec.training.kept_tables import KeptTables
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.vector_tables import FOLDER


def readable_frozen_vectors(module: LitRec, data: BehaviorDataModule) -> Floats | None:
    """Return the catalogue's vectors ``[I, F * width]``, or None and a warning where the pretrained encoder cannot be read."""
    try:
        return frozen_item_vectors(module, data)
    except LitRecError as error:
        rank_zero_warn(f"The report has no frozen-text baselines: {error}")
        return None


def frozen_item_vectors(module: LitRec, data: BehaviorDataModule) -> Floats:
    """Return the catalogue's vectors by the encoder as it was before training, mean over tokens, fields joined, ``[I, F * width]``.

    Texts that this encoder has read for an earlier report are found in the cache.
    """
    pretrained = module.new_network(data.facts, pretrained=True)
    # a network that reads no text is measured against text all the same
    backbone = pretrained.backbone or _named(data)
    reader = _TextReader(backbone, data.facts.special).to(module.device).eval()
    store = data.catalogue.store
    texts = np.arange(len(store.offsets) - 1, dtype=np.int64)
    each = Catalogue(store, texts[:, None], np.zeros(len(texts), np.int64))  # a text is an item

    def encode(some: Int64s) -> Tensor:
        return reader.read(each.texts(some).to(module.device), module._trainer)

    kept = KeptTables(reader, module.device, data.cache_folder / FOLDER)
    vectors = kept.table(each, encode, ("frozen text vectors", "texts")).cpu().double().numpy()
    return unit_vectors(vectors[data.catalogue.text_of_item])  # [I, F, width] -> [I, F * width]


class _TextReader(nn.Module):
    """An encoder without what is trained on top of it: the mean of a text's tokens."""

    def __init__(self, backbone: Backbone, special: SpecialTokens) -> None:
        super().__init__()
        self.backbone, self.special = backbone, special
        self.pooling = MeanPooling(backbone.width)

    @torch.no_grad()
    def read(self, texts: Texts, trainer: lightning.Trainer | None) -> Tensor:
        """Return the vectors of texts ``[P, width]``, on the CPU."""
        vectors = torch.zeros(len(texts), self.backbone.width)
        encoded = 0
        within, shown = display(trainer)
        with slow_bar("encoding for baselines", len(texts), within=within, shown=shown) as advance:
            for chunk in texts.chunks(16_384, self.special):
                pooled = self.pooling(self.backbone(chunk), chunk.mask)
                vectors[chunk.text_index.cpu()] = pooled.float().cpu()
                encoded += len(chunk.text_index)
                advance(encoded)
        return vectors


def _named(data: BehaviorDataModule) -> PretrainedBackbone:
    return PretrainedBackbone(replace(data.facts, backbone=None), data.encoder)
