"""Closed forms that networks begin at, fitted on the training rows before the first step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lit_rec.data.arrays import Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.histories import NoHistory, TrainingHistory
from lit_rec.data.history.rule import OrderedHistory
from lit_rec.data.training_facts import target_of_rows
from lit_rec.models.networks.network import Network
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.starts.rated_rows import RatedRows
from lit_rec.training.fitted_neighbors import fit_neighbors


def fit_closed_forms(network: Network, data: BehaviorDataModule, device: torch.device) -> None:
    """Fit all closed forms that a calibrated network begins at.

    Args:
        network: The network that will be trained.
        data: The data.
        device: Where the network is.
    """
    if isinstance(network, TwoTower) and network.neighbors is not None:
        fit_neighbors(network, network.neighbors, data, device)
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
    """Return the training rows that have a rating: those that histories show longest first, or in the order of time."""
    prepared, rule = data.prepared, data.history
    row = prepared.rows_of("train")
    row = row[~np.isnan(prepared.rating[row])]
    user = np.asarray(prepared.user[row], np.int64)
    counts = rule.where.mask(prepared)[row]
    past, others = None, rule.max_length
    if isinstance(rule, OrderedHistory):
        # a place among these rows, in place of one among all rows
        past = np.searchsorted(row, prepared.past_end[row])
        past = past - np.searchsorted(row, prepared.offsets[user])
    elif isinstance(rule, NoHistory):
        others = 0
    elif not counts.all() or np.bincount(user).max(initial=0) > others:
        newest_first = isinstance(rule, TrainingHistory) and not rule.oldest
        order = np.lexsort((-row if newest_first else row, ~counts, user))
        row, counts = row[order], counts[order]
    return RatedRows(
        user,
        data.catalogue.vocab_row[prepared.item[row]],
        np.asarray(prepared.rating[row], np.float64),
        np.asarray(prepared.timestamp[row], np.float64),
        row,
        past,
        others,
        None if counts.all() else counts,
    )


@dataclass(frozen=True)
class SupposedLabels:
    """Labels that were not read, but predicted.

    Shape:
        rows: ``[n]`` rows of ``Prepared``. label: ``[n]`` places among the labels.
    """

    rows: Int64s
    label: Int64s


def begin_at_labels(
    network: Network,
    data: BehaviorDataModule,
    device: torch.device,
    supposed: SupposedLabels | None = None,
) -> None:
    """Let a network that predicts labels begin with those of the training rows, counted by item.

    Args:
        network: A network that looks at labels.
        data: The data.
        device: Where the network is.
        supposed: Labels of rows that have none; together they count as much as all rows that have one, or less.
    """
    rows, labels = data.prepared.rows_of("train"), len(data.facts.labels)
    label = target_of_rows(data.prepared, data.facts)[rows].astype(np.int64)
    rows, label = rows[label >= 0], label[label >= 0]
    weight = np.ones(len(rows))
    if supposed is not None and len(supposed.rows):
        each = min(len(rows) / len(supposed.rows), 1.0)
        weight = np.append(weight, np.full(len(supposed.rows), each))
        rows, label = np.append(rows, supposed.rows), np.append(label, supposed.label)
    item, place = np.unique(data.prepared.item[rows], return_inverse=True)
    counts = np.zeros((len(item), labels), np.int64 if supposed is None else np.float32)
    np.add.at(counts, (place, label), weight)
    texts, items = data.catalogue.take(item.astype(np.int64))
    network.begin_at_labels(texts.to(device), items.to(device), torch.from_numpy(counts).to(device))
