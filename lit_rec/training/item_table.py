"""The table of a catalogue's vectors: encoded block by block, with a bar where it takes long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import RichProgressBar
from rich.progress import Progress
from torch import Tensor

from lit_rec.data.batches import Items, Texts
from lit_rec.data.catalogue import Catalogue
from lit_rec.data.slow_bar import slow_bar
from lit_rec.models.networks import Network

_ITEMS_AT_ONCE = 4096  # items encoded together: bounds the memory, not the result

Encode = Callable[[Texts, Items], Tensor]


def item_table(
    network: Network, catalogue: Catalogue, device: torch.device, trainer: lightning.Trainer | None
) -> Tensor:
    """Encode the whole catalogue, in evaluation mode; the network's own mode is left as it was.

    Args:
        network: Encodes items.
        catalogue: The items.
        device: Where the network is.
        trainer: In whose display the bar stands; without bars there, there is none here.

    Returns:
        ``[I, D]`` float32 on ``device``.
    """
    what = "encoding the catalogue"
    return _table(network, network.encode_items, catalogue, device, trainer, what)


def profile_table(
    network: Network, profiles: Catalogue, device: torch.device, trainer: lightning.Trainer | None
) -> Tensor:
    """Encode the profiles of all users in the same way: ``[U, D]`` float32."""
    what = "encoding the profiles"
    return _table(network, network.encode_profiles, profiles, device, trainer, what)


@torch.no_grad()
def _table(
    network: Network,
    encode: Encode,
    catalogue: Catalogue,
    device: torch.device,
    trainer: lightning.Trainer | None,
    what: str,
) -> Tensor:
    training = network.training
    network.eval()
    rows = []
    within, shown = display(trainer)
    with slow_bar(what, len(catalogue), within=within, shown=shown) as advance:
        for start in range(0, len(catalogue), _ITEMS_AT_ONCE):
            stop = min(start + _ITEMS_AT_ONCE, len(catalogue))
            rows.append(_block(network, encode, catalogue, range(start, stop), device, advance))
            advance(stop)
    network.train(training)
    return torch.cat(rows)


def _block(
    network: Network,
    encode: Encode,
    catalogue: Catalogue,
    block: range,
    device: torch.device,
    advance: Callable[[int], None],
) -> Tensor:
    """Encode some items; while their texts pass the encoder, as many items are done as the texts' share."""
    texts, items = catalogue.take(np.array(block, dtype=np.int64))
    if network.backbone is None:
        return encode(texts.to(device), items.to(device))
    encoded = 0

    def count(backbone: Any, given: Any, found: Tensor) -> None:
        nonlocal encoded
        encoded += len(found)
        advance(block.start + len(block) * encoded // len(texts))

    with network.backbone.register_forward_hook(count):
        return encode(texts.to(device), items.to(device))


def display(trainer: lightning.Trainer | None) -> tuple[Progress | None, bool]:
    """Return the display to stand in, if one is on the screen, and whether to show a bar at all."""
    if trainer is None:
        return None, True
    bar = trainer.progress_bar_callback
    # a bar of another kind has the screen to itself
    if not isinstance(bar, RichProgressBar) or bar.is_disabled:
        return None, False
    running = bar.progress is not None and bar.progress.live.is_started
    return (bar.progress if running else None), True
