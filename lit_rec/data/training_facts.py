"""What the training rows tell: Facts from Prepared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from lit_rec.data.arrays import Float32s, Int64s
from lit_rec.data.facts import Facts
from lit_rec.data.fields.field import Field
from lit_rec.data.fields.table_fields import fit_fields
from lit_rec.data.history.where import Where
from lit_rec.data.label_bias import item_label_bias
from lit_rec.data.prepared import Prepared
from lit_rec.data.rating_bias import item_rating_bias
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.errors import ConfigError, DataError

Task = Literal["rating", "label", "next_item"]


def training_facts(
    prepared: Prepared,
    task: Task,
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
) -> Facts:
    """Look at the training rows.

    Args:
        prepared: The behaviors.
        task: What is predicted.
        fields: Text fields of an item.
        max_tokens: Longest text.
        special: Tokens around a text.
        labels: Names of the labels in the order wanted; by default in that of ``prepared``.
        with_users: Whether the rows are of users that will come back.
        item_fields: Columns of the items that are not read as text; fitted on the items of training rows.
        profile_texts: Text fields of a user's profile.
        user_fields: Columns of the users that are not read as text; fitted on the users of training rows.
        history_labels: Whether histories tell which label a behavior had.
        where: Which behaviors count, where the next item is predicted; the others are neither seen nor asked about.

    Raises:
        DataError: If no training row has what is predicted, or another row has a label that none of them has.
        ConfigError: If ``labels`` are not those of the training rows, or a field says nothing.
    """
    train = prepared.rows_of("train")
    if task == "next_item" and where is not None:
        train = train[where.mask(prepared)[train]]
        if not len(train):
            raise _nothing_counts(where)
    rating = prepared.rating[train]
    rated = train[~np.isnan(rating)]
    if task == "rating" and not len(rated):
        raise _nothing_to_predict("rating")
    items, rows_of_item = np.unique(prepared.item[train], return_counts=True)
    ids = prepared.items["item_id"]
    low, mean, high = 0.0, 0.0, 0.0
    if len(rated):
        low, high = float(np.nanmin(rating)), float(np.nanmax(rating))
        mean = float(np.nanmean(rating, dtype=np.float64))
    names, counts = _labels(prepared, train, labels) if task == "label" else ((), ())
    bias = np.zeros(len(ids))
    has_bias = task == "rating" or (with_users and len(names) == 2)
    if task == "rating":
        found = item_rating_bias(prepared.user[rated], prepared.item[rated], prepared.rating[rated])
        bias[: len(found)] = found
    elif has_bias:
        labelled = train[prepared.label[train] >= 0]
        positive = prepared.label[labelled] == prepared.labels.index(names[1])
        found = item_label_bias(prepared.user[labelled], prepared.item[labelled], positive)
        bias[: len(found)] = found
    users = np.unique(prepared.user[train])
    profiles, known = prepared.profiles, users if with_users else users[:0]
    return Facts(
        task=task,
        rating_mean=mean,
        rating_low=low,
        rating_high=high,
        events=tuple(prepared.events[e] for e in np.unique(prepared.event[train]) if e >= 0),
        user_ids=tuple(prepared.user_ids[u] for u in known),
        item_ids=tuple(ids.gather(items).to_list()),
        item_bias=tuple(float(b) for b in bias[items]) if has_bias else (),
        fields=tuple(fields),
        max_tokens=max_tokens,
        special=special,
        labels=names,
        label_counts=counts,
        item_fields=fit_fields(
            item_fields, prepared.items, items, prepared.vectors, "data.item_fields"
        ),
        profile_texts=tuple(profile_texts),
        user_fields=fit_fields(
            user_fields, profiles.table, users, profiles.vectors, "data.user_fields"
        ),
        history_labels=history_labels,
        item_log_frequency=tuple(np.log(rows_of_item / len(train)).tolist())
        if task in ("next_item", "rating")
        else (),
    )


def target_of_rows(
    prepared: Prepared, facts: Facts, where: Where | None = None
) -> Float32s | Int64s:
    """Return what is predicted for every row ``[R]``.

    Ratings, NaN where absent; or places in ``facts.labels``, -1 where absent; or the row's own item code, -1 where
    ``where`` does not count the row.
    """
    if facts.task == "next_item":
        item = np.asarray(prepared.item, np.int64)
        return item if where is None else np.where(where.mask(prepared), item, -1)
    if facts.task == "rating":
        return np.asarray(prepared.rating, dtype=np.float32)
    place = {name: place for place, name in enumerate(facts.labels)}
    places = np.array([*(place.get(name, -1) for name in prepared.labels), -1], np.int64)
    return places[prepared.label]


def _labels(
    prepared: Prepared, train: Int64s, wanted: Sequence[str] | None
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    code = np.asarray(prepared.label)
    counts = np.bincount(code[train][code[train] >= 0], minlength=len(prepared.labels))
    if not counts.any():
        raise _nothing_to_predict("label")
    seen = [name for name, count in zip(prepared.labels, counts, strict=True) if count]
    unseen = np.flatnonzero((code >= 0) & (counts[code] == 0))
    if len(unseen):
        raise DataError(
            f"{len(unseen):,} rows that do not train have a label that no training row has, such as "
            f"'{prepared.labels[code[unseen[0]]]}'",
            where="data.reader",
            rule="every label that is asked for is among the training rows",
            remedy="give training rows with it, leave these rows out, or split in another way",
        )
    if wanted is not None and sorted(wanted) != sorted(seen):
        raise ConfigError(
            f"{list(wanted)} are named, the training rows have {seen[:20]}",
            where="data.labels",
            rule="the labels of the training rows, each once, in the order wanted",
            remedy="correct the names, or leave the option out",
        )
    names = tuple(wanted or seen)
    if len(names) < 2:
        raise DataError(
            f"every training row has the label '{names[0]}'",
            where="data.reader",
            rule="two labels or more",
            remedy="map the column that holds what is to be predicted",
        )
    of_name = dict(zip(prepared.labels, counts.tolist(), strict=True))
    return names, tuple(of_name[name] for name in names)


def _nothing_to_predict(column: str) -> DataError:
    return DataError(
        f"no training row has a {column}",
        where="data.reader",
        rule=f"{column}s are predicted, so training rows have them",
        remedy=f"map the column with behavior_columns: {{{column}: NAME}}",
    )


def _nothing_counts(where: Where) -> DataError:
    return DataError(
        f"no training row counts of {where}",
        where="data.history.where",
        rule="what counts in a history is what is predicted",
        remedy="leave where out, or name events, labels or ratings that training rows have",
    )


def vocabulary_rows(vocabulary: Sequence[str], ids: Sequence[str]) -> Int64s:
    """Return 1 + the place of each id in the vocabulary, 0 where it is not there.

    Example:
        >>> vocabulary_rows(["a", "b"], ["b", "x"]).tolist()
        [2, 0]
    """
    row: dict[str, Any] = {id_: place + 1 for place, id_ in enumerate(vocabulary)}
    return np.fromiter((row.get(id_, 0) for id_ in ids), np.int64, len(ids))
