"""Slices of evaluated rows: all, and those with new or rare users, new or rare items."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.evaluation.arrays import LabelRows, RatingRows

SEEN = (1, 5, 10, 20)  # training rows of the target at which its slices begin
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


def next_item_slices(train: RatingRows, user: Int64s, item: Int64s) -> dict[str, Bools]:
    """Return the same, and how often the target was seen in training.

    ``new_items`` have no training row, ``known_items`` have one or more; ``seen_1_4``, ``seen_5_9``, ``seen_10_19`` and
    ``seen_20_more`` have so many.

    Args:
        train: The training rows.
        user: ``[R]`` codes of the evaluated rows.
        item: ``[R]`` codes of the evaluated rows: the targets.

    Example:
        >>> train = RatingRows(user=np.zeros(6, int), item=np.array([0, 1, 1, 1, 1, 1]), rating=np.ones(6))
        >>> slices = next_item_slices(train, user=np.array([0, 0, 0]), item=np.array([0, 1, 2]))
        >>> {name: mask.tolist() for name, mask in slices.items() if name.startswith("seen") and mask.any()}
        {'seen_1_4': [True, False, False], 'seen_5_9': [False, True, False]}
    """
    seen = np.bincount(train.item, minlength=int(item.max(initial=-1)) + 1)[item]
    between = {
        f"seen_{low}_{following - 1}": (seen >= low) & (seen < following)
        for low, following in pairwise(SEEN)
    }
    most = {f"seen_{SEEN[-1]}_more": seen >= SEEN[-1]}
    return {**rating_slices(train, user, item), "known_items": seen > 0, **between, **most}


def whole(size: int) -> dict[str, Bools]:
    """Return the slice ``all`` of ``[size]`` rows alone: texts without users have no cold start.

    Example:
        >>> whole(2)
        {'all': array([ True,  True])}
    """
    return {"all": np.ones(size, bool)}
