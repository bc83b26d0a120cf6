"""Vectors of texts by an encoder that is not trained, each text read once for all commands that ask for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.pooling import Pooling
from lit_rec.training.vectors.cached_table import KeptTables
from lit_rec.training.vectors.evaluation_tables import FOLDER

_NAMED = ("frozen text vectors", "texts")


class TextReader(nn.Module):
    """What makes a vector of a text: an encoder, a pooling, and the tokens around each text.

    Args:
        backbone: The encoder, not trained.
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
        self._tables = KeptTables(reader, device, data.cache_folder / FOLDER)

    def of_all_processes(self, text: Int64s, encode: Callable[[Int64s], Tensor]) -> Tensor:
        """Return the vectors ``[P, width]`` of some texts ``[P]`` on every process, all of which call this.

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
