"""The items that each user has in training rows, and rows that are held out of them to choose options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.history.rule import in_order
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.baselines.next_item.trial import Trial
from lit_rec.models.neighbors.baskets import Baskets

if TYPE_CHECKING:
    from lit_rec.data.datamodule import BehaviorDataModule


_HELD_OUT = 10_000  # users whose last training row is held out


def trained_rows(data: BehaviorDataModule) -> Int64s:
    """Return the training rows whose item a model learns to predict."""
    train = data.prepared.rows_of("train")
    return train[target_of_rows(data.prepared, data.facts, data.history.where)[train] >= 0]


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
    """Return each user's last training row, to choose options by, and the baskets of the others.

    Args:
        data: The behaviors.
        train: Rows of ``Prepared``; those of a user follow one another.
    """
    prepared = data.prepared
    user, item = (np.asarray(column, np.int64) for column in (prepared.user, prepared.item))
    last = _last_of_users(user, train)
    last = np.sort(np.random.default_rng(0).permutation(last)[:_HELD_OUT])
    history = in_order(data.history).bind(prepared).of(last)
    others = training_baskets(data, np.setdiff1d(train, last))
    return Trial.of_rows(others, history.item, history.mask, item[last])


def _last_of_users(user: Int64s, train: Int64s) -> Int64s:
    return train[np.flatnonzero(np.diff(user[train], append=-1))]
