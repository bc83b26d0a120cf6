"""The items that each user has in training rows, and rows that are held out of them to choose options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.data.history.rule import in_order
from lit_rec.data.history.windows import HistoryRows
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.baselines.next_item.trial import Trial
from lit_rec.models.neighbors.baskets import Baskets

if TYPE_CHECKING:
    from lit_rec.data.datamodule import BehaviorDataModule


_HELD_OUT = 10_000  # users whose last training row is held out


def trained_rows(data: BehaviorDataModule) -> Int64s:
    """Return the training rows that count in histories."""
    train = data.prepared.rows_of("train")
    return train[target_of_rows(data.prepared, data.facts, data.history.where)[train] >= 0]


def predicted_of(data: BehaviorDataModule, rows: Int64s) -> Int64s:
    """Return those of some rows whose item is predicted."""
    return rows[target_of_rows(data.prepared, data.facts, data.history.targets)[rows] >= 0]


def taken_of(data: BehaviorDataModule, history: HistoryRows) -> Bools:
    """Return ``[B, H]``, the slots of histories whose items are seen; all are of histories that the data gives."""
    return history.mask & ((history.source < 0) | data.history.takes(data.prepared)[history.source])


def training_baskets(data: BehaviorDataModule, train: Int64s) -> Baskets:
    """Return the items of training rows; where the data gives lists, with the last list of each user.

    Args:
        data: The behaviors.
        train: Rows of ``Prepared``; those of a user follow one another.
    """
    prepared = data.prepared
    user, item = (np.asarray(column, np.int64) for column in (prepared.user, prepared.item))
    last = _last_of_users(user, train)
    history = in_order(data.history).bind(prepared).of(last)
    users = np.concatenate([user[last].repeat(history.mask.sum(1)), user[train]])
    items = np.concatenate([history.item[history.mask], item[train]])
    return Baskets.of_rows(users, items, len(prepared.items))


def held_out(data: BehaviorDataModule, train: Int64s) -> Trial:
    """Return each user's last predicted training row, to choose options by, and the baskets of the rows before it.

    Args:
        data: The behaviors.
        train: Rows of ``Prepared``; those of a user follow one another.
    """
    prepared = data.prepared
    user, item = (np.asarray(column, np.int64) for column in (prepared.user, prepared.item))
    last = _last_of_users(user, predicted_of(data, train))
    last = np.sort(np.random.default_rng(0).permutation(last)[:_HELD_OUT])
    history = in_order(data.history).bind(prepared).of(last)
    end = np.full(len(prepared.user_ids), len(prepared))
    end[user[last]] = last
    others = training_baskets(data, train[train < end[user[train]]])
    return Trial.of_rows(others, history.item, history.mask, item[last], taken_of(data, history))


def _last_of_users(user: Int64s, train: Int64s) -> Int64s:
    return train[np.flatnonzero(np.diff(user[train], append=-1))]
