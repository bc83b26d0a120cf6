"""Separate texts for each slot, as in a recommender that encodes every occurrence of an item.

This is one side of tools/benchmark speed train and speed evaluate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import Items, RecBatch, Texts
from lit_rec.data.batches.catalogue import Catalogue


def texts_of(catalogue: Catalogue, items: Int64s) -> Texts:
    """Return the texts of items ``[n]``; an item that appears twice gives its texts twice."""
    found = catalogue.texts(catalogue.text_of_item[items].reshape(-1))
    return replace(found, number=None, store=None)


def unshared(batch: RecBatch, catalogue: Catalogue) -> RecBatch:
    """Return the same batch with nothing shared.

    Each slot of a history and each candidate becomes a separate item with its own texts.
    """
    places: list[Any] = []
    items: list[torch.Tensor] = []
    start = 0
    for slots in (batch.history, batch.candidates):
        number = int(slots.mask.sum())
        place = torch.zeros_like(slots.item_index)
        place[slots.mask] = torch.arange(start, start + number)
        places.append(replace(slots, item_index=place))
        items.append(slots.item_index[slots.mask])
        start += number
    at = torch.cat(items)
    row = batch.items.catalogue_row[at]
    texts = texts_of(catalogue, row.numpy())
    return replace(
        batch,
        texts=texts,
        items=Items(
            text_index=torch.arange(len(texts)).view(len(at), -1),
            catalogue_row=row,
            vocab_row=batch.items.vocab_row[at],
            fields={name: values[at] for name, values in batch.items.fields.items()},
        ),
        history=places[0],
        candidates=places[1],
    )
