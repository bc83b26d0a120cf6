"""Rows without a label whose texts may be read in training: those that SelfTraining draws from."""

from __future__ import annotations

from typing import Any

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.prepared import Prepared


def unlabelled_rows(prepared: Prepared, *, with_users: bool) -> Int64s:
    """Return the training rows without a label, and the rows that a split leaves out, whose labels count as unknown.

    Where rows have users, the latter are histories of users who validate or test, and are not returned.

    Args:
        prepared: The rows.
        with_users: Whether they have users.
    """
    train = prepared.rows_of("train")
    absent = train[prepared.label[train] < 0]
    if with_users:
        return absent
    return np.sort(np.concatenate([absent, prepared.rows_of("shown")]))


def reads_unlabelled(trainer: Any) -> bool:
    """Return whether a callback of a training reads rows without a label.

    Args:
        trainer: The Trainer; None: there is no training.
    """
    callbacks = getattr(trainer, "callbacks", ())
    return any(getattr(callback, "reads_unlabelled", False) for callback in callbacks)
