"""Encodes a catalogue into a table of vectors, block by block, with a bar where it takes long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from rich.progress import Progress
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.networks.network import Network
from lit_rec.models.text.passes import passes_counted
from lit_rec.processes import brought_together, largest_part, own_part
from lit_rec.progress import slow_bar

if TYPE_CHECKING:
    import lightning
    from rich.progress import Progress


_ITEMS_AT_ONCE = 4096  # items encoded together: bounds the memory, not the result

Encode = Callable[[Texts, Items], Tensor]


def item_table(
    network: Network,
    catalogue: Catalogue,
    device: torch.device,
    trainer: lightning.Trainer | None,
    rows: Int64s | None = None,
) -> Tensor:
    """Encode items in this process, in evaluation mode; the network's mode afterwards is what it was.

    Args:
        network: Encodes items.
        catalogue: The items.
        device: Where the network is.
        trainer: The bar is part of its display; if it has no bars, none is shown.
        rows: Which items ``[n]``; all by default.

    Returns:
        ``[n, D]`` float32 on ``device``.
    """
    chosen = np.arange(len(catalogue)) if rows is None else rows
    table = TableEncoder(network, catalogue, device, trainer)
    return table.encode(chosen)


class TableEncoder:
    """Encode rows of a catalogue, or of profiles, in evaluation mode; the network's mode afterwards is what it was.

    Args:
        network: Encodes.
        catalogue: The items, or the users with their profiles.
        device: Where the network is.
        trainer: The bar is part of its display; if it has no bars, none is shown.
        profiles: Whether the catalogue is one of profiles.
    """

    def __init__(
        self,
        network: Network,
        catalogue: Catalogue,
        device: torch.device,
        trainer: lightning.Trainer | None,
        *,
        profiles: bool = False,
    ) -> None:
        self._network, self._catalogue, self._device = network, catalogue, device
        self._trainer = trainer
        self._encode = network.encode_profiles if profiles else network.encode_items
        self._what = "encoding the profiles" if profiles else "encoding the catalogue"

    def encode_together(self, rows: Int64s) -> Tensor:
        """Encode rows ``[n]``, divided among the processes, which all call this: ``[n, D]`` on every process."""
        return brought_together(self.encode(rows[own_part()], largest_part(len(rows))), len(rows))

    def encode(self, rows: Int64s, at_least: int = 0) -> Tensor:
        """Encode rows ``[n]`` in this process: ``[n, D]``.

        Args:
            rows: Of the catalogue.
            at_least: Call the encoder as often as for this number of rows: processes that share one must call it
                equally often.
        """
        vectors = []
        within, shown = display(self._trainer)
        with (
            slow_bar(self._what, len(rows), within=within, shown=shown) as advance,
            evaluation_mode(self._network),
        ):
            for start in range(0, max(len(rows), at_least, 1), _ITEMS_AT_ONCE):
                stop = min(start + _ITEMS_AT_ONCE, len(rows))
                vectors.append(self._block(rows[start:stop], start, advance))
                advance(stop)
        return torch.cat(vectors)

    def _block(self, rows: Int64s, done: int, advance: Callable[[int], None]) -> Tensor:
        """Encode some rows; meanwhile the bar advances by the share of their texts that passed the encoder."""
        texts, items = self._catalogue.take(rows)
        texts, items = texts.to(self._device), items.to(self._device)
        encoded = 0

        def count(passed: int) -> None:
            nonlocal encoded
            encoded += passed
            advance(done + len(rows) * encoded // max(len(texts), 1))

        with passes_counted(count):
            return self._encode(texts, items)


def display(trainer: lightning.Trainer | None) -> tuple[Progress | None, bool]:
    """Return the display for a bar, if one is on the screen, and whether to show a bar at all."""
    if trainer is None:
        return None, True
    bar = trainer.progress_bar_callback
    # EpochLines and Lightning's RichProgressBar share the screen; others do not
    if not hasattr(bar, "progress") or bar.is_disabled:  # type: ignore[union-attr]
        return None, False
    progress: Progress | None = bar.progress  # type: ignore[union-attr]
    return (progress if progress is not None and progress.live.is_started else None), True
