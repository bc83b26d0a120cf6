"""Training sequences of random behaviors against loops; nothing of evaluation rows or of later rows is in them."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from lit_rec.data.batches.collator import BatchRows
from lit_rec.data.batches.sequence_collator import SequenceCollator
from lit_rec.data.history.histories import GivenHistory, PastHistory

from .random_behaviors import (
    FEW,
    SOME,
    collator_of,
    counts,
    lengths,
    prepared_of,
    rows_strategy,
    wheres,
)


def windows_by_loop(rows, where, max_length, *, ordered):
    """Of each window (items of the slots, items at the start and after each slot, whether they are asked about)."""
    found = []
    for user in range(3):
        mine = [(row.time, r) for r, row in enumerate(rows) if row.user == user]
        mine = [rows[r] for _, r in sorted(mine)]
        train = [row for row in mine if row.part == 0 and counts(row, where)]
        stop, left = len(train), len(train)  # rows up to ``left`` are yet to be asked about
        while left:
            start = max(stop - 1 - max_length, 0)
            slots, after = train[start : stop - 1], train[start:stop]
            asked = [
                ordered_before(rows, one, two, ordered=ordered)
                for one, two in zip(slots, after[1:], strict=True)
            ]
            asked = [start == 0, *asked]  # with nothing before it, whoever is new is asked for
            if any(asked):
                found.append(([row.item for row in slots], [row.item for row in after], asked))
            left = start and start + 1
            stop = left
    return found


def ordered_before(rows, one, two, *, ordered):
    """Whether a row is in the past of the next one: before the first row of its impression."""

    def moment(row):
        # a declared order divides what one time holds
        place = next(r for r, other in enumerate(rows) if other is row)
        return (row.time, place if ordered else 0)

    first = moment(two)
    if two.impression is not None:
        same = [r for r in rows if (r.user, r.impression) == (two.user, two.impression)]
        first = min(moment(row) for row in same)
    return moment(one) < first


@given(rows=rows_strategy, max_length=lengths, where=wheres, ordered=st.booleans())
@SOME
def test_windows_are_those_of_a_loop(rows, max_length, where, ordered):
    rows = [replace(row) for row in rows]  # equal rows are still rows of their own
    prepared = prepared_of(rows, ordered=ordered)
    sequences = PastHistory(max_length, where).sequences(prepared)
    found = sequences.of(sequences.ends)
    got = []
    for item, mask, target, known in zip(
        found.history.item, found.history.mask, found.target, found.known, strict=True
    ):
        places = np.append(True, mask)
        got.append((item[mask].tolist(), target[places].tolist(), known[places].tolist()))
    wanted = windows_by_loop(rows, where, max_length, ordered=ordered)
    hidden = [
        (s, [i if k else 0 for i, k in zip(a, asked, strict=True)], asked) for s, a, asked in wanted
    ]
    assert sorted(got) == sorted(hidden)
    assert not found.known[:, 1:][~found.history.mask].any()


@given(rows=rows_strategy, where=wheres)
@SOME
def test_what_a_position_sees_is_the_history_of_the_row_that_follows(rows, where):
    """By rows, not by items: the item of a target may well stand in its history, its row never does."""
    prepared = prepared_of(rows)
    rule = PastHistory(50, where)
    sequences, bound = rule.sequences(prepared), rule.bind(prepared)
    train = prepared.rows_of("train")
    train = train[where.mask(prepared)[train]]
    found = sequences.of(sequences.ends)
    asked = set()
    for window, end in enumerate(sequences.ends):
        mine = train[(prepared.user[train] == prepared.user[end]) & (train <= end)]
        for place in np.flatnonzero(found.known[window]):
            target = mine[place]
            history = bound.of(np.array([target]))
            seen = history.source[0][history.mask[0]].tolist()
            assert seen == found.history.source[window, :place].tolist()
            assert found.target[window, place] == prepared.item[target]
            assert target not in asked
            asked.add(target)
    assert {prepared.user[target] for target in asked} == set(prepared.user[train])


@given(rows=rows_strategy, max_length=lengths)
@SOME
def test_given_histories_ask_for_the_rows_own_item_alone(rows, max_length):
    prepared = prepared_of(rows)
    sequences = GivenHistory(max_length).sequences(prepared)
    found = sequences.of(sequences.ends)
    got = [
        (prepared.row[end], item[mask].tolist(), target[known].tolist(), int(np.argmax(known)))
        for end, item, mask, target, known in zip(
            sequences.ends,
            found.history.item,
            found.history.mask,
            found.target,
            found.known,
            strict=True,
        )
    ]
    wanted = []
    for place, row in enumerate(rows):
        history = list(row.history)[-max_length:]
        if row.part == 0:
            wanted.append((place, history, [row.item], len(history)))
    assert sorted(got) == wanted
    assert (found.known.sum(1) == 1).all()


@given(rows=rows_strategy, data=st.data())
@FEW
def test_evaluation_rows_are_in_no_training_batch(rows, data):
    """Whatever an evaluation row was about, and whether it is there at all."""

    def batch_of(prepared):
        sequences = PastHistory(3).sequences(prepared)
        rows_collator = collator_of(prepared, PastHistory(3))
        collator = SequenceCollator(
            prepared, sequences, rows_collator._catalogue, rows_collator._user_vocab
        )
        batch = collator(BatchRows(sequences.ends, (0, 0)))
        codes = batch.items.catalogue_row
        history = torch.where(batch.history.mask, codes[batch.history.item_index], -1)
        target = torch.where(batch.target.mask, codes[batch.target.value], -1)
        return history.tolist(), target.tolist(), sorted(codes.tolist())

    evaluated = [place for place, row in enumerate(rows) if row.part]
    trained = {row.user for row in rows if not row.part}
    # a user of the training rows alone keeps the codes of users
    if not trained or not PastHistory(3).sequences(prepared_of(rows)).ends.size:
        return
    before = batch_of(prepared_of(rows))
    changed = list(rows)
    for place in evaluated:
        item = data.draw(st.integers(0, 4))
        changed[place] = replace(rows[place], item=item, time=data.draw(st.integers(0, 4)))
    # an impression that reaches into an evaluation part says when it began
    if all(rows[place].impression is None for place in evaluated):
        assert batch_of(prepared_of(changed)) == before
        assert batch_of(prepared_of([row for row in rows if not row.part])) == before
