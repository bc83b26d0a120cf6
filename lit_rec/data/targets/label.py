"""LabelTarget: which of some labels a behavior has, such as clicked or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.arrays import Bools, Float64s, Int64s
from lit_rec.data.history.rule import Where
from lit_rec.data.prepared import Prepared
from lit_rec.data.targets.target_rule import TargetRule, nothing_to_predict
from lit_rec.errors import ConfigError, DataError, option_of

_SHRINKAGE = 5.0
_ROUNDS = 5


class LabelTarget(TargetRule):
    """One of two labels or more; a row without a label is not predicted. Of two, the second is the positive one."""

    name = "label"
    has_labels = True

    def facts(
        self, prepared: Prepared, train: Int64s, labels: Sequence[str] | None, *, with_users: bool
    ) -> dict[str, Any]:
        """Return names and counts of the labels; for two labels also each item's bias to the positive one.

        Raises:
            DataError: If no training row has a label, all have the same, or another row has one that none of these has.
            ConfigError: If ``labels`` are not those of the training rows.
        """
        names, counts = _labels(prepared, train, labels)
        bias = None
        if with_users and len(names) == 2:
            labelled = train[prepared.label[train] >= 0]
            positive = prepared.label[labelled] == prepared.labels.index(names[1])
            found = item_label_bias(prepared.user[labelled], prepared.item[labelled], positive)
            bias = np.zeros(len(prepared.items))
            bias[: len(found)] = found
        return {
            "labels": names,
            "label_counts": counts,
            "item_bias": bias,
            "item_log_frequency": False,
        }

    def of_rows(
        self, prepared: Prepared, labels: Sequence[str], where: Where | None = None
    ) -> Int64s:
        """Return places among the labels ``[R]``."""
        place = {name: place for place, name in enumerate(labels)}
        places = np.array([*(place.get(name, -1) for name in prepared.labels), -1], np.int64)
        return places[prepared.label]

    def start(self, rating_mean: float, label_counts: Sequence[int]) -> float:
        """Return the log odds of the positive one of two labels, with one added to each count; 0 for more labels."""
        negative, positive = label_counts if len(label_counts) == 2 else (1, 1)
        return math.log((positive + 1) / (negative + 1))


def item_label_bias(
    user: npt.NDArray[np.integer[Any]],
    item: npt.NDArray[np.integer[Any]],
    positive: Bools,
) -> Float64s:
    """Return each item code's log odds ratio without users' biases, each shrunk by five rows of the base rate.

    Args:
        user: ``[R]`` codes.
        item: ``[R]`` codes.
        positive: ``[R]``, whether a row has the positive label.

    Returns:
        One bias per code up to the largest, 0 for a code without rows.

    Example:
        >>> item_label_bias(np.array([0, 1]), np.array([0, 0]), np.array([True, False])).tolist()
        [0.0]
    """
    rate = (positive.sum() + 1) / (len(positive) + 2)
    start = np.log(rate / (1 - rate))
    user_bias, item_bias = np.zeros(user.max() + 1), np.zeros(item.max() + 1)
    for _ in range(_ROUNDS):
        item_bias = _log_odds_ratio(item, positive, start + user_bias[user], rate)
        user_bias = _log_odds_ratio(user, positive, start + item_bias[item], rate)
    return item_bias


def _log_odds_ratio(
    group: npt.NDArray[np.integer[Any]],
    positive: Bools,
    log_odds: Float64s,
    rate: float,
) -> Float64s:
    """Return, for each group, the log odds of its labels over those expected of its rows."""
    probability = 1 / (1 + np.exp(-log_odds))
    found, missed = np.bincount(group, positive), np.bincount(group, ~positive)
    expected, other = np.bincount(group, probability), np.bincount(group, 1 - probability)
    up, down = _SHRINKAGE * rate, _SHRINKAGE * (1 - rate)
    ratio: Float64s = np.log((found + up) / (expected + up)) - np.log(
        (missed + down) / (other + down)
    )
    return ratio


def _labels(
    prepared: Prepared, train: Int64s, wanted: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    code = np.asarray(prepared.label)
    counts = np.bincount(code[train][code[train] >= 0], minlength=len(prepared.labels))
    if not counts.any():
        raise nothing_to_predict("label", elsewhere=bool(prepared.labels))
    seen = [name for name, count in zip(prepared.labels, counts, strict=True) if count]
    unseen = np.flatnonzero((code >= 0) & (counts[code] == 0))
    if len(unseen):
        raise DataError(
            f"{len(unseen):,} rows that do not train have a label that no training row has, such as "
            f"'{prepared.labels[code[unseen[0]]]}'",
            where=option_of("BehaviorDataModule", "reader"),
            rule="every label that is predicted is among the training rows",
            remedy="give training rows with it, leave these rows out, or split in another way",
        )
    if wanted is not None and sorted(wanted) != sorted(seen):
        raise ConfigError(
            f"{list(wanted)} are named, the training rows have {seen[:20]}",
            where=option_of("BehaviorDataModule", "labels"),
            rule="the labels of the training rows, each once, in the order wanted",
            remedy="correct the names, or leave the option out",
        )
    names = tuple(wanted or seen)
    if len(names) < 2:
        raise DataError(
            f"every training row has the label '{names[0]}'",
            where=option_of("BehaviorDataModule", "reader"),
            rule="two labels or more",
            remedy="map the column that holds what is to be predicted: behavior_columns: {label: NAME}",
        )
    of_name = dict(zip(prepared.labels, counts.tolist(), strict=True))
    return names, tuple(of_name[name] for name in names)
