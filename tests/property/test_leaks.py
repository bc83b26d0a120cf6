"""No evaluation row's answer reaches a training batch, nor another row but a later one of its user."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.collator import BatchRows
from lit_rec.data.facts import Facts
from lit_rec.data.history.histories import (
    BoundHistory,
    GivenHistory,
    History,
    HistoryRows,
    PastHistory,
    TrainingHistory,
    Where,
)
from lit_rec.data.prepared import Prepared
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.data.training_facts import training_facts

from .random_behaviors import (
    FEW,
    ITEMS,
    TIED,
    Row,
    collator_of,
    few_rows,
    lengths,
    prepared_of,
    wheres,
)


def equal(one: Any, other: Any) -> bool:
    """Whether two parts of batches hold the same values, NaN being equal to NaN."""
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and bool(
            torch.equal(torch.nan_to_num(one, -9.0), torch.nan_to_num(other, -9.0))
            if one.is_floating_point()
            else torch.equal(one, other)
        )
    if one is None or isinstance(one, dict):  # no profiles; fields by their column
        return one == other if not one else all(equal(one[name], other[name]) for name in one)
    return all(equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))


# whether the change of a row that is not trained on may be seen by another row of its user
Seen = Callable[[Row, Row], bool]


def later(changed: Row, other: Row) -> bool:
    """Whether the other row is of a later second."""
    return other.time > changed.time


def shown(changed: Row, other: Row) -> bool:
    """Whether the change is of what is shown, to a row that does not train."""
    return changed.part == 3 and other.part > 0


def nothing(changed: Row, other: Row) -> bool:
    """Return False."""
    return False


def check_no_leak(rows: list[Row], history: History, allowed: Seen) -> None:
    """Change each evaluation row's rating and label in turn and see what else changes.

    Args:
        rows: The behaviors.
        history: The rule.
        allowed: Which rows of the same user may see the change.
    """
    before = prepared_of(rows)
    train, everything = before.rows_of("train"), before.rows_of("all")
    old = collator_of(before, history)
    inputs = inputs_by_row(old(BatchRows(everything)))
    for place, row in enumerate(rows):
        if row.part == 0:
            continue
        rating = 1.0 if row.rating is not None and row.rating > 2 else 5.0
        other = replace(row, rating=rating, label="no" if row.label == "yes" else "yes")
        after = prepared_of([*rows[:place], other, *rows[place + 1 :]])
        new = collator_of(after, history)
        for seed in (None, (0,)):
            batch = BatchRows(train, seed)
            assert not len(train) or equal(old(batch), new(batch)), "a training batch changed"
        for index, (one, two) in enumerate(
            zip(inputs, inputs_by_row(new(BatchRows(everything))), strict=True)
        ):
            other = rows[before.row[index]]
            if not (other.user == row.user and allowed(row, other)):
                assert one == two, "the inputs of a row changed"


def inputs_by_row(batch: RecBatch) -> list[str]:
    """All that a network may look at for each row, apart from the other rows of the batch."""
    items = batch.items.catalogue_row
    found = []
    for b in range(len(batch)):
        mask = batch.history.mask[b]
        parts = [
            batch.users.vocab_row[b],
            items[batch.candidates.item_index[b]],
            items[batch.history.item_index[b, mask]],
            batch.history.rating[b, mask],
            batch.history.event[b, mask],
            batch.history.label[b, mask],
            batch.history.age_days[b, mask],
        ]
        found.append(str([part.tolist() for part in parts]))
    return found


@FEW
@given(rows=few_rows, length=lengths, where=wheres)
def test_past_history_leaks_nothing(rows: list[Row], length: int, where: Where):
    check_no_leak(rows, PastHistory(length, where), later)


@FEW
@given(rows=few_rows, length=lengths, where=wheres)
def test_training_history_leaks_nothing(rows: list[Row], length: int, where: Where):
    check_no_leak(rows, TrainingHistory(length, where), shown)


@FEW
@given(rows=few_rows)
def test_facts_know_training_rows_alone(rows: list[Row]):
    assume(any(row.part == 0 and row.rating is not None for row in rows))
    before = facts_of(prepared_of(rows))
    for place, row in enumerate(rows):
        if row.part > 0:
            other = Row(row.user, (row.item + 1) % ITEMS, 9.0, row.time, row.part, event="refund")
            assert before == facts_of(prepared_of([*rows[:place], other, *rows[place + 1 :]]))


def facts_of(prepared: Prepared) -> Facts:
    special = SpecialTokens((1,), (2,), 0)
    return training_facts(prepared, "rating", fields=("title",), max_tokens=9, special=special)


@FEW
@given(rows=few_rows, length=lengths)
def test_given_history_leaks_nothing(rows: list[Row], length: int):
    check_no_leak(rows, GivenHistory(length), nothing)


class Leaky(History):
    """Breaks one rule on purpose; ``allowed`` says which rows of the user a row sees."""

    def __init__(self, allowed: Callable[[Prepared, int, int], bool]) -> None:
        super().__init__()
        self.allowed = allowed

    def bind(self, prepared: Prepared) -> BoundHistory:
        return _BoundLeaky(prepared, self.allowed)


class _BoundLeaky(BoundHistory):
    def __init__(self, prepared: Prepared, allowed: Callable[[Prepared, int, int], bool]) -> None:
        self.prepared, self.allowed = prepared, allowed

    def of(self, rows: Any, rng: Any = None) -> HistoryRows:
        data = self.prepared
        lists = [
            [
                o
                for o in range(len(data))
                if data.user[o] == data.user[r] and self.allowed(data, r, o)
            ]
            for r in rows
        ]
        width = max([1, *map(len, lists)])
        source = np.array([[*places, *[-1] * (width - len(places))] for places in lists])
        mask = source >= 0
        return HistoryRows(source, np.where(mask, data.item[source].astype(np.int64), 0), mask)


@pytest.mark.parametrize(
    "allowed",
    [
        pytest.param(lambda p, r, o: p.timestamp[o] < p.timestamp[r], id="evaluation in training"),
        pytest.param(
            lambda p, r, o: o != r and p.part[r] > 0 and p.timestamp[o] <= p.timestamp[r], id="ties"
        ),
        pytest.param(lambda p, r, o: o == r, id="the target itself"),
        pytest.param(
            lambda p, r, o: p.part[r] == 2 and p.part[o] == 2, id="the target among others"
        ),
    ],
)
def test_a_leak_is_noticed(allowed: Callable[[Prepared, int, int], bool]):
    check_no_leak(TIED, PastHistory(), later)
    check_no_leak(TIED, TrainingHistory(), nothing)
    with pytest.raises(AssertionError, match="changed"):
        check_no_leak(TIED, Leaky(allowed), later)


def test_what_is_shown_is_not_trained_with():
    """Of a user who trains as well, as no split of the project gives it."""
    rows = [*TIED, Row(0, 4, 5.0, 0, 3)]
    check_no_leak(rows, PastHistory(), later)
    check_no_leak(rows, TrainingHistory(), shown)
    with pytest.raises(AssertionError, match="a training batch changed"):
        check_no_leak(rows, Leaky(lambda p, r, o: p.part[o] == 3), later)


def test_labels_are_among_the_inputs():
    """What the tests above look at would show the leak of a label alone."""
    before, after = (
        prepared_of([TIED[0], replace(TIED[1], label=label)]) for label in ("no", "yes")
    )
    for history, shows in ((Leaky(lambda p, r, o: o == r), True), (PastHistory(), False)):
        one, two = (
            inputs_by_row(collator_of(data, history)(BatchRows(data.rows_of("all"))))
            for data in (before, after)
        )
        assert (one != two) is shows


def test_past_history_is_too_much_for_a_stricter_promise():
    with pytest.raises(AssertionError, match="inputs of a row changed"):
        check_no_leak([*TIED, Row(0, 4, 1.0, 3, 2)], PastHistory(), nothing)
