"""The texts of a catalogue as token ids, its other fields, and the slots of a batch taken from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.fields.field import Values
from lit_rec.data.texts.tokens import TokenStore


@dataclass(frozen=True)
class Catalogue:
    """I items with their texts, their rows in the id vocabulary, and their other fields.

    It may also hold users with their profiles.

    ``name`` identifies the texts of the store, so that their vectors may be cached; None: nothing is cached.

    Shape:
        text_of_item: ``[I, F]`` int64 texts of ``store``. vocab_row: ``[I]`` int64, and fields by column: see
            ``Items``.
    """

    store: TokenStore
    text_of_item: Int64s
    vocab_row: Int64s
    fields: Mapping[str, Values] = field(default_factory=dict)
    name: str | None = None

    def __len__(self) -> int:
        """Return I, the number of items."""
        return len(self.vocab_row)

    def take(self, item: Int64s) -> tuple[Texts, Items]:
        """Return the texts and the slots of distinct ``item`` codes ``[N]``; each distinct text is there once."""
        text, index = np.unique(self.text_of_item[item], return_inverse=True)
        items = Items(
            text_index=torch.from_numpy(index.reshape(len(item), self.text_of_item.shape[1])),
            catalogue_row=_int64(item),
            vocab_row=_int64(self.vocab_row[item]),
            fields={
                name: torch.from_numpy(np.ascontiguousarray(values[item]))
                for name, values in self.fields.items()
            },
        )
        return self.texts(text), items

    def texts(self, text: Int64s) -> Texts:
        """Return some texts of the store, in the given order."""
        part = self.store.take(text)
        number = None if self.name is None else _int64(text)
        tokens, offsets = torch.from_numpy(part.tokens), torch.from_numpy(part.offsets)
        return Texts(tokens, offsets, number, self.name)

    def refer(self, item: Int64s) -> tuple[Texts, Items]:
        """Return slots of ``item`` ``[N]`` without texts, for a network that looks item vectors up in a table."""
        texts = Texts(torch.empty(0, dtype=torch.int32), torch.zeros(1, dtype=torch.int64))
        empty = torch.empty((len(item), 0), dtype=torch.int64)
        return texts, Items(empty, _int64(item), _int64(self.vocab_row[item]))


def _int64(values: npt.NDArray[np.integer[Any]]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.int64))
