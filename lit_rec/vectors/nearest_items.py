"""The training items whose texts are nearest to those of each item, by the encoder as it was before training."""

from __future__ import annotations

from collections.abc import Callable

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lit_rec.data.arrays import Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.models.networks.network import Network
from lit_rec.vectors.frozen_texts import frozen_field_vectors

_NUMBERS = 2**26  # cosines that are held at once: bounds the memory, not the result


def nearest_items(
    network: Network,
    new_network: Callable[..., Network],
    data: BehaviorDataModule,
    trainer: lightning.Trainer,
) -> Int64s | None:
    """Return the items that each item has in place of a history, ``[I, K]``; see ``nearest_of``.

    A resumed run gets the same ones: the encoder is read from its files, not as it is by now.

    Args:
        network: Says how many it wants; if none, there are none.
        new_network: Makes a network like that of the run, such as ``LitRec.new_network``.
        data: Has the texts.
        trainer: Names the device; the bar is part of its display.

    Raises:
        LitRecError: If the encoder's files cannot be read.
    """
    if not network.nearest_items:
        return None
    device = trainer.strategy.root_device
    fields = torch.from_numpy(frozen_field_vectors(new_network, data, device, trainer)).to(device)
    # as items are compared while training; nothing of other items, such as their mean, is in a vector
    vectors = functional.normalize(functional.normalize(fields.float(), dim=2).sum(1), dim=1)
    known = torch.from_numpy(np.flatnonzero(data.catalogue.vocab_row)).to(device)
    return nearest_of(vectors, known, network.nearest_items)


def nearest_of(vectors: Tensor, known: Tensor, most: int) -> Int64s:
    """Return the ``most`` known items of the largest inner product with each item, itself left out: ``[I, most]``.

    The nearest one is the last; -1 in places before the first, where fewer are known.

    Args:
        vectors: ``[I, W]``.
        known: ``[n]``, which items are known.
        most: How many.

    Example:
        >>> vectors = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> nearest_of(vectors, torch.tensor([0, 2]), most=2).tolist()
        [[-1, 2], [2, 0], [-1, 0]]
    """
    found = np.full((len(vectors), most), -1, np.int64)
    of_known = vectors[known].T
    step = max(_NUMBERS // max(len(known), 1), 1)
    for start in range(0, len(vectors) if len(known) else 0, step):
        cosine = vectors[start : start + step] @ of_known
        own = torch.arange(start, start + len(cosine), device=known.device)[:, None] == known
        cosine[own] = -torch.inf
        value, place = cosine.topk(min(most, len(known)))
        best = known[place].where(value > -torch.inf, -1).flip(1)
        found[start : start + step, most - best.shape[1] :] = best.cpu().numpy()
    return found
