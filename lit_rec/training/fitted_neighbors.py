"""The table of ItemNeighbors, fitted on the training rows, and how its options are chosen."""

from __future__ import annotations

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.rule import in_order
from lit_rec.evaluation.baselines.next_item.add_ease import BEGUN, by_recency, chosen_add_ease
from lit_rec.evaluation.baselines.next_item.options import Options
from lit_rec.evaluation.baselines.next_item.trial import Trial
from lit_rec.models.heads.item_neighbors import ItemNeighbors
from lit_rec.models.neighbors.add_ease import is_whole
from lit_rec.models.neighbors.baskets import Baskets
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.tasks.training_baskets import (
    held_out,
    predicted_of,
    taken_of,
    trained_rows,
    training_baskets,
)
from lit_rec.training.vector_share import WITHOUT_ROWS

_AT_ONCE = 16_384  # items
_SCORES = 10**8  # validation rows times items: bounds the time


@torch.no_grad()
def fit_neighbors(
    network: TwoTower, part: ItemNeighbors, data: BehaviorDataModule, device: torch.device
) -> None:
    """Fit what items say of others on the training rows; every process does, and gets the same.

    Options that are not given are chosen on held-out training rows. In a catalogue of which these have only the
    frequent items, validation rows decide whether texts count: there they may favor items that hardly anybody takes.

    Args:
        network: A calibrated network.
        part: Its neighbors.
        data: The data.
        device: Where the network is.
    """
    row = data.catalogue.vocab_row
    known = np.flatnonzero(row)
    known = known[np.argsort(row[known])]
    parts = [
        data.catalogue.take(some) for some in np.array_split(known, len(known) // _AT_ONCE + 1)
    ]
    read = network.read_items([(texts.to(device), items.to(device)) for texts, items in parts])
    train = trained_rows(data)
    baskets = training_baskets(data, train).among(row - 1, len(known))
    options = _options(part, data, train, known, None if read is None else read.vectors)
    part.fit(baskets, read, options[0])
    if len(options) > 1:
        kept = {name: value.clone() for name, value in part.state_dict().items()}
        first = _validated(part, baskets, data)
        part.fit(baskets, read, options[1])
        if _validated(part, baskets, data) <= first:
            part.load_state_dict(kept)
            options = options[:1]
    said = ", ".join(f"{name} {value:g}" for name, value in options[-1].items())
    rank_zero_info(f"neighbors: {said}")
    if part.chooses_share and not len(data.prepared.rows_of("val")):
        part.vector_share.fill_(WITHOUT_ROWS)


def _options(
    part: ItemNeighbors, data: BehaviorDataModule, train: Int64s, known: Int64s, text: Tensor | None
) -> list[Options]:
    """Return the best options by held-out training rows; and those without texts, if validation rows have to decide.

    Args:
        part: The neighbors.
        data: The data.
        train: Training rows.
        known: ``[V]`` the vocabulary's items in the catalogue.
        text: ``[V, W]`` their text vectors; None: no text is read.
    """
    if len(part.given) == len(BEGUN):
        return [part.given]
    trial, whole = held_out(data, train), is_whole(len(known))
    if text is None:
        return [chosen_add_ease(trial, None, whole, part.given)]
    vectors = torch.zeros(len(trial.code), text.shape[1])
    vectors[torch.from_numpy(known)] = text.cpu()
    some = vectors[torch.from_numpy(trial.code >= 0)]
    found = [chosen_add_ease(trial, some, whole, part.given)]
    asks = found[0]["text_weight"] and "text_weight" not in part.given
    if asks and trial.baskets.items < len(known) and len(data.prepared.rows_of("val")):
        found.append(chosen_add_ease(trial, None, whole, part.given | {"text_weight": 0.0}))
    return found


def _validated(part: ItemNeighbors, baskets: Baskets, data: BehaviorDataModule) -> float:
    """Return nDCG@10 of validation rows whose items training knows, by the table alone."""
    code = data.catalogue.vocab_row - 1
    rows = predicted_of(data, data.prepared.rows_of("val"))
    rows = rows[code[np.asarray(data.prepared.item[rows], np.int64)] >= 0]
    rows = np.random.default_rng(0).permutation(rows)[: max(_SCORES // baskets.items, 1)]
    history = in_order(data.history).bind(data.prepared).of(rows)
    item = np.where(history.mask, code[history.item], -1)
    # items that training does not know would lie between others: known ones go to the left
    order = np.argsort(item < 0, axis=1, kind="stable")
    item, taken = (np.take_along_axis(x, order, 1) for x in (item, taken_of(data, history)))
    trial = Trial(
        baskets,
        torch.from_numpy(np.maximum(item, 0)),
        torch.from_numpy(item >= 0),
        torch.from_numpy(code[np.asarray(data.prepared.item[rows], np.int64)]),
        np.arange(baskets.items),
        torch.from_numpy(taken & (item >= 0)),
    )
    return by_recency(trial, part.table(), (float(part.recency),))[0] if len(rows) else 0.0
