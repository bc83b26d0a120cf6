"""Slices of evaluated rows: all, and those with new or rare users or new items."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.evaluation.arrays import LabelRows, RatingRows

FEW = 10  # most training rows of a few-shot user


def rating_slices(train: RatingRows | LabelRows, user: Int64s, item: Int64s) -> dict[str, Bools]:
    """Return a mask ``[R]`` per slice of the evaluated rows.

    ``all``; ``new_users`` (no training row); ``few_shot_users`` (1 to 10); ``new_items`` (no training row).

    Args:
        train: The training rows.
        user: ``[R]`` codes of the evaluated rows.
        item: ``[R]`` codes of the evaluated rows.
    """
    of_user = np.bincount(train.user, minlength=int(user.max(initial=-1)) + 1)[user]
    of_item = np.bincount(train.item, minlength=int(item.max(initial=-1)) + 1)[item]
    return {
        **whole(len(user)),
        "new_users": of_user == 0,
        "few_shot_users": (of_user >= 1) & (of_user <= FEW),
        "new_items": of_item == 0,
    }


def whole(size: int) -> dict[str, Bools]:
    """Return the slice ``all`` of ``[size]`` rows alone: texts without users have no cold start.

    Example:
        >>> whole(2)
        {'all': array([ True,  True])}
    """
    return {"all": np.ones(size, bool)}
