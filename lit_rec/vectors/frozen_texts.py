"""Texts of an encoder that is frozen, or partly: encoded once, for training and for baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import lightning
import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.batches.batch import Texts
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.errors import LitRecError, option_of
from lit_rec.evaluation.baselines.frozen_ratings import unit_vectors
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.network import Network
from lit_rec.models.text.backbone import Backbone, PretrainedBackbone
from lit_rec.models.text.pooling import MeanPooling, Pooling
from lit_rec.processes import brought_together, own_part
from lit_rec.progress import slow_bar
from lit_rec.vectors.cached_table import CachedTables
from lit_rec.vectors.encode import display
from lit_rec.vectors.evaluation_tables import FOLDER

_TEXTS_AT_ONCE = 16_384
_NAMED = ("frozen text vectors", "texts")


class TextReader(nn.Module):
    """Makes a vector of a text: an encoder, a pooling, and the tokens around each text.

    Args:
        backbone: The encoder, frozen.
        pooling: From token vectors to a text vector.
        special: Tokens put around each text.
    """

    def __init__(self, backbone: Backbone, pooling: Pooling, special: SpecialTokens) -> None:
        super().__init__()
        self.backbone, self.pooling, self.special = backbone, pooling, special


class TextTables:
    """A data set's text vectors by one reader, in the cache: training and reports of the same encoder share them.

    Args:
        reader: Makes them, the same on every process.
        data: Has the texts.
        device: Where the reader is.
    """

    def __init__(self, reader: TextReader, data: BehaviorDataModule, device: torch.device) -> None:
        self._store = data.catalogue.store
        self._tables = CachedTables(reader, device, data.cache_folder / FOLDER)

    def of_all_processes(self, text: Int64s, encode: Callable[[Int64s], Tensor]) -> Tensor:
        """Return the vectors ``[P, width]`` of some texts ``[P]`` on every process; all of them call this.

        Args:
            text: Which texts.
            encode: From texts ``[n]`` to their vectors ``[n, width]``, on every process.
        """
        each = self._each(text)
        return self._tables.table_of_all(each, lambda rows: encode(text[rows]), named=_NAMED)

    def of_this_process(self, text: Int64s, encode: Callable[[Int64s], Tensor]) -> Tensor:
        """Return the vectors ``[P, width]`` of some texts ``[P]``, in this process alone; see ``of_all_processes``."""
        return self._tables.table(self._each(text), lambda rows: encode(text[rows]), _NAMED)

    def _each(self, text: Int64s) -> Catalogue:
        """Return a catalogue in which every text is an item."""
        return Catalogue(self._store, text[:, None], np.zeros(len(text), np.int64))


def encode_frozen_texts(
    network: Network,
    data: BehaviorDataModule,
    device: torch.device,
    trainer: lightning.Trainer | None,
) -> None:
    """Cache what the frozen part of the encoder makes of all texts that training and validation will need.

    For a frozen encoder these are the texts' vectors, found in the cache or computed in one of the processes, and held
    by all. For an encoder whose top is trained it is the output of its lower layers, which each process computes
    itself.

    They are computed in the store's order, not in that of batches. A vector's last bits depend on the texts of its
    block, and a resumed run must get the same ones as a run that was never stopped.

    Args:
        network: Its item encoders cache texts; a network without any is left as it is.
        data: Has the texts.
        device: Where the network is.
        trainer: The bar is part of its display; None: the bar stands alone.
    """
    catalogue = data.catalogue
    for encoder in network.modules():
        if not isinstance(encoder, ItemEncoder) or catalogue.name is None:
            continue
        if encoder.texts_to_cache:
            text = _needed(network, data)
            text = text[text < encoder.texts_to_cache]
            reader = TextReader(encoder.backbone, encoder.pooling, encoder.special)
            encode = partial(_encoded, encoder, catalogue, device=device, trainer=trainer)
            vectors = TextTables(reader, data, device).of_all_processes(text, encode)
            encoder.cache_vectors(catalogue.name, torch.from_numpy(text).to(device), vectors)
        elif tokens := cached_tokens(encoder, network, data):
            blocks = _blocks(catalogue, _needed(network, data), device, trainer)
            with evaluation_mode(encoder):
                encoder.cache_states(blocks, tokens)


def cached_tokens(encoder: ItemEncoder, network: Network, data: BehaviorDataModule) -> int:
    """Return of how many tokens the lower layers' output is cached for a training; 0: of none.

    Args:
        encoder: An encoder whose upper layers are trained.
        network: Has it.
        data: Has the texts.
    """
    if not encoder.tokens_to_cache:
        return 0
    tokens = _tokens(encoder, data.catalogue, _needed(network, data))
    return tokens if tokens <= encoder.tokens_to_cache else 0


def read_once(network: Network, data: BehaviorDataModule) -> tuple[str, str] | None:
    """Return why texts of a training pass a frozen part of the encoder only once; None: all pass it in each step.

    Args:
        network: The network that will be trained.
        data: Its data.

    Returns:
        The option of ``ItemEncoder`` that has it cached, and what is cached, in words.
    """
    for encoder in network.modules():
        if not isinstance(encoder, ItemEncoder):
            continue
        if encoder.texts_to_cache:
            return option_of(
                encoder, "max_kept_texts"
            ), "a frozen encoder, whose vectors are cached"
        if tokens := cached_tokens(encoder, network, data):
            what = f"frozen lower layers, whose output is cached ({tokens:,} tokens)"
            return option_of(encoder, "max_kept_tokens"), what
    return None


def readable_frozen_vectors(
    new_network: Callable[..., Network],
    data: BehaviorDataModule,
    device: torch.device,
    trainer: lightning.Trainer | None,
) -> Float64s | None:
    """Return ``frozen_item_vectors``; None and a warning if the pretrained encoder is unreadable."""
    try:
        return frozen_item_vectors(new_network, data, device, trainer)
    except LitRecError as error:
        rank_zero_warn(f"The report has no frozen-text baselines: {error}")
        return None


def frozen_item_vectors(
    new_network: Callable[..., Network],
    data: BehaviorDataModule,
    device: torch.device,
    trainer: lightning.Trainer | None,
) -> Float64s:
    """Return ``frozen_field_vectors`` as ``unit_vectors``, the fields of an item joined: ``[I, F * width]``."""
    return unit_vectors(frozen_field_vectors(new_network, data, device, trainer))


def frozen_field_vectors(
    new_network: Callable[..., Network],
    data: BehaviorDataModule,
    device: torch.device,
    trainer: lightning.Trainer | None,
) -> Float64s:
    """Return the catalogue's vectors ``[I, F, width]`` by the encoder as it was before training.

    They are means over tokens. Texts that this encoder read before, for a report or for training, are in the cache.

    Args:
        new_network: Makes a network like that of the run, such as ``LitRec.new_network``.
        data: Has the texts.
        device: Where to encode.
        trainer: The bar is part of its display; None: the bar stands alone.
    """
    pretrained = new_network(data.facts, pretrained=True)
    # a network that reads no text is compared with text baselines, too
    backbone = pretrained.backbone or _named(data)
    reader = TextReader(backbone, MeanPooling(backbone.width), data.facts.special)
    reader = reader.to(device).eval()

    def encode(text: Int64s) -> Tensor:
        return _read(reader, data.catalogue.texts(text).to(device), trainer)

    tables = TextTables(reader, data, device)
    texts = np.arange(len(data.catalogue.store.offsets) - 1, dtype=np.int64)
    vectors: Float64s = tables.of_this_process(texts, encode).cpu().double().numpy()
    return vectors[data.catalogue.text_of_item]


def _needed(network: Network, data: BehaviorDataModule) -> Int64s:
    """Return the texts that training and evaluation need.

    Where evaluation has a table of all items, these are all their texts; otherwise those of items that training and
    validation rows name or show.
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
        blocks = _blocks(catalogue, text[own_part()], device, trainer)
        vectors = torch.cat([encoder.encode_uncached(texts) for texts in blocks])
        return brought_together(vectors, len(text))


def _blocks(
    catalogue: Catalogue, text: Int64s, device: torch.device, trainer: lightning.Trainer | None
) -> Iterator[Texts]:
    """Yield texts some at a time, and show progress; without texts, yield one empty block."""
    within, shown = display(trainer)
    with slow_bar("encoding the texts", len(text), within=within, shown=shown) as advance:
        for start in range(0, max(len(text), 1), _TEXTS_AT_ONCE):
            texts = catalogue.texts(text[start : start + _TEXTS_AT_ONCE])
            yield texts.to(device)
            advance(start + len(texts))


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
