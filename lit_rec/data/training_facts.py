"""What the training rows say: Facts from Prepared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lit_rec.data.arrays import Float32s, Int64s
from lit_rec.data.facts import Facts
from lit_rec.data.fields.field import Field
from lit_rec.data.fields.table_fields import fit_fields
from lit_rec.data.history.rule import Where
from lit_rec.data.prepared import Prepared
from lit_rec.data.targets.registry import target_rule
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.errors import DataError, option_of


def training_facts(
    prepared: Prepared,
    task: str,
    *,
    fields: Sequence[str],
    max_tokens: int,
    special: SpecialTokens,
    labels: Sequence[str] | None = None,
    with_users: bool = True,
    item_fields: Sequence[Field] = (),
    profile_texts: Sequence[str] = (),
    user_fields: Sequence[Field] = (),
    history_labels: bool = False,
    where: Where | None = None,
    target_events: Sequence[str] | None = None,
) -> Facts:
    """Return the facts of the training rows.

    Args:
        prepared: The behaviors.
        task: What is predicted.
        fields: Text fields of an item.
        max_tokens: Longest text.
        special: Tokens around a text.
        labels: Names of the labels in the order wanted; by default in that of ``prepared``.
        with_users: Whether the rows have users who may occur again.
        item_fields: Columns of the items that are not read as text; fitted on the items of training rows.
        profile_texts: Text fields of a user's profile.
        user_fields: Columns of the users that are not read as text; fitted on the users of training rows.
        history_labels: Whether histories contain the label of each behavior.
        where: Which behaviors count, where the next item is predicted; the others are neither seen nor predicted.
        target_events: Events that are predicted; the other behaviors that count are only seen.

    Raises:
        DataError: If no training row has a target, no training or validation row has one of ``target_events``, or
            another row has a label that no training row has.
        ConfigError: If ``labels`` are not those of the training rows, or a field has no values to learn from.
    """
    rule = target_rule(task)
    train = rule.training_rows(prepared, where)
    _check_events(target_events, prepared)
    of_target = rule.facts(prepared, train, labels, with_users=with_users)
    bias, wants_frequency = of_target.pop("item_bias"), of_target.pop("item_log_frequency")
    rating = prepared.rating[train]
    low, mean, high = 0.0, 0.0, 0.0
    if not np.isnan(rating).all():
        low, high = float(np.nanmin(rating)), float(np.nanmax(rating))
        mean = float(np.nanmean(rating, dtype=np.float64))
    items, rows_of_item = np.unique(prepared.item[train], return_counts=True)
    users = np.unique(prepared.user[train])
    profiles, known = prepared.profiles, users if with_users else users[:0]
    return Facts(
        task=task,
        rating_mean=mean,
        rating_low=low,
        rating_high=high,
        events=tuple(prepared.events[e] for e in np.unique(prepared.event[train]) if e >= 0),
        user_ids=tuple(prepared.user_ids[u] for u in known),
        item_ids=tuple(prepared.items["item_id"].gather(items).to_list()),
        item_bias=() if bias is None else tuple(bias[items].tolist()),
        fields=tuple(fields),
        max_tokens=max_tokens,
        special=special,
        item_fields=fit_fields(
            item_fields,
            prepared.items,
            items,
            prepared.vectors,
            option_of("BehaviorDataModule", "item_fields"),
        ),
        profile_texts=tuple(profile_texts),
        user_fields=fit_fields(
            user_fields,
            profiles.table,
            users,
            profiles.vectors,
            option_of("BehaviorDataModule", "user_fields"),
        ),
        history_labels=history_labels,
        item_log_frequency=tuple(np.log(rows_of_item / len(train)).tolist())
        if wants_frequency
        else (),
        target_events=tuple(target_events or ()),
        **of_target,
    )


def _check_events(events: Sequence[str] | None, prepared: Prepared) -> None:
    """Check that training and validation rows have something to predict."""
    codes = [prepared.events.index(name) for name in events or () if name in prepared.events]
    for part, name in (("train", "training"), ("val", "validation")) if events else ():
        if not np.isin(prepared.event[prepared.rows_of(part)], codes).any():
            raise DataError(
                f"no {name} row has the event {' or '.join(events or ())}",
                where=option_of("BehaviorDataModule", "target_events"),
                rule="training and validation rows have something to predict",
                remedy="set the split to LeaveLastOutSplit, or give each part a larger share",
            )


def target_of_rows(
    prepared: Prepared, facts: Facts, where: Where | None = None
) -> Float32s | Int64s:
    """Return the target of every row ``[R]``.

    Targets are ratings, NaN where absent; or places in ``facts.labels``, -1 where absent; or the row's own item code,
    -1 where ``where`` does not count the row.
    """
    return facts.target.of_rows(prepared, facts.labels, where)


def vocabulary_rows(vocabulary: Sequence[str], ids: Sequence[str]) -> Int64s:
    """Return 1 + the place of each id in the vocabulary, 0 where it is not there.

    Example:
        >>> vocabulary_rows(["a", "b"], ["b", "x"]).tolist()
        [2, 0]
    """
    row: dict[str, Any] = {id_: place + 1 for place, id_ in enumerate(vocabulary)}
    return np.fromiter((row.get(id_, 0) for id_ in ids), np.int64, len(ids))
