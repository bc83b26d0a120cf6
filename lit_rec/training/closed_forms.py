"""Closed forms that networks begin at, fitted on the training rows before the first step."""

from __future__ import annotations

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.rule import OrderedHistory
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.baselines.next_item.add_ease import BEGUN, chosen_add_ease
from lit_rec.models.heads.item_neighbors import ItemNeighbors
from lit_rec.models.neighbors.add_ease import is_whole
from lit_rec.models.networks.network import Network
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.starts.rated_rows import RatedRows
from lit_rec.tasks.training_baskets import held_out, trained_rows, training_baskets
from lit_rec.training.vector_share import WITHOUT_ROWS

_AT_ONCE = 16_384  # items


def fit_closed_forms(network: Network, data: BehaviorDataModule, device: torch.device) -> None:
    """Fit all closed forms that a calibrated network begins at.

    Args:
        network: The network that will be trained.
        data: The data.
        device: Where the network is.
    """
    if isinstance(network, TwoTower) and network.neighbors is not None:
        _fit_neighbors(network, network.neighbors, data, device)
    if isinstance(network, TwoTower) and network.start is not None:
        known = np.flatnonzero(data.catalogue.vocab_row)
        texts, items = data.catalogue.take(known)
        network.fit_start(texts.to(device), items.to(device), rated_rows(data))
    if network.looks_at_labels:
        begin_at_labels(network, data, device)


def predict_training_rows(network: Network, data: BehaviorDataModule) -> None:
    """Predict the training rows by what the network begins at, where it begins at a closed form of the rows.

    Args:
        network: The network, with the weights of the run that goes on, if one does.
        data: The data.
    """
    if isinstance(network, TwoTower) and network.start is not None:
        network.start.predict_rows(rated_rows(data), len(data.prepared))


def rated_rows(data: BehaviorDataModule) -> RatedRows:
    """Return the training rows that have a rating, by user and time."""
    prepared = data.prepared
    row = prepared.rows_of("train")
    row = row[~np.isnan(prepared.rating[row])]
    user = np.asarray(prepared.user[row], np.int64)
    past = None
    if isinstance(data.history, OrderedHistory):
        # a place among these rows, in place of one among all rows
        past = np.searchsorted(row, prepared.past_end[row])
        past = past - np.searchsorted(row, prepared.offsets[user])
    return RatedRows(
        user,
        data.catalogue.vocab_row[prepared.item[row]],
        np.asarray(prepared.rating[row], np.float64),
        np.asarray(prepared.timestamp[row], np.float64),
        row,
        past,
    )


@torch.no_grad()
def _fit_neighbors(
    network: TwoTower, part: ItemNeighbors, data: BehaviorDataModule, device: torch.device
) -> None:
    """Fit what items say of others on the training rows; every process does, and gets the same.

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
    text = None if read is None else read.vectors
    part.fit(baskets, read, _neighbor_options(part, data, train, known, text))
    if part.chooses_share and not len(data.prepared.rows_of("val")):
        part.vector_share.fill_(WITHOUT_ROWS)


def _neighbor_options(
    part: ItemNeighbors, data: BehaviorDataModule, train: Int64s, known: Int64s, text: Tensor | None
) -> dict[str, float]:
    """Return the options of the neighbors' table: what is not given is chosen on held-out training rows.

    Args:
        part: The neighbors.
        data: The data.
        train: Training rows.
        known: ``[V]`` the vocabulary's items in the catalogue.
        text: ``[V, W]`` their text vectors; None: no text is read.
    """
    if len(part.given) == len(BEGUN):
        return part.given
    trial = held_out(data, train)
    vectors = None
    if text is not None:
        vectors = torch.zeros(len(trial.code), text.shape[1])
        vectors[torch.from_numpy(known)] = text.cpu()
        vectors = vectors[torch.from_numpy(trial.code >= 0)]
    options = chosen_add_ease(trial, vectors, is_whole(len(known)), part.given)
    said = ", ".join(f"{name} {value:g}" for name, value in options.items())
    rank_zero_info(f"neighbors: {said}, by {len(trial.target):,} held-out training rows")
    return options


def begin_at_labels(network: Network, data: BehaviorDataModule, device: torch.device) -> None:
    """Let a network that predicts labels begin with those of the training rows, counted by item.

    Args:
        network: A network that looks at labels.
        data: The data.
        device: Where the network is.
    """
    rows, labels = data.prepared.rows_of("train"), len(data.facts.labels)
    label = target_of_rows(data.prepared, data.facts)[rows].astype(np.int64)
    item, place = np.unique(data.prepared.item[rows][label >= 0], return_inverse=True)
    counts = np.zeros((len(item), labels), np.int64)
    np.add.at(counts, (place, label[label >= 0]), 1)
    texts, items = data.catalogue.take(item.astype(np.int64))
    network.begin_at_labels(texts.to(device), items.to(device), torch.from_numpy(counts).to(device))
