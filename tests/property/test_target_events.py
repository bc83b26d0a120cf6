"""Purchases are predicted, views are seen: windows, histories and parts of random behaviors, against loops."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_rec.data.history.histories import GivenHistory, PastHistory, Where
from lit_rec.data.splits.splits import LeaveLastOutSplit
from lit_rec.data.training_facts import training_facts
from lit_rec.errors import ConfigError

from .random_behaviors import SOME, Row, lengths, prepared_of, rows_strategy, wheres

ROWS = [
    Row(0, item, None, item, 0, event=event) for item, event in enumerate(("click", "click", "buy"))
]


def rule_of(max_length=50, where=None):
    return PastHistory(max_length, where).predicting(["buy"])


def is_bought(prepared, row):
    return prepared.event[row] >= 0 and prepared.events[prepared.event[row]] == "buy"


def some_buy(rows):
    """Behaviors of which one at least is a purchase, so that the data knows the event."""
    return [replace(rows[0], event="buy"), *(replace(row) for row in rows[1:])]


@given(rows=rows_strategy, max_length=lengths, where=wheres, ordered=st.booleans())
@SOME
def test_each_purchase_is_asked_for_once_with_what_came_before(rows, max_length, where, ordered):
    prepared = prepared_of(some_buy(rows), ordered=ordered)
    rule = rule_of(max_length, where)
    whole = rule_of(50, where).bind(prepared)
    sequences = rule.sequences(prepared)
    found = sequences.of(sequences.ends)
    train = prepared.rows_of("train")
    train = train[where.mask(prepared)[train]]
    asked = []
    for window, end in enumerate(sequences.ends):
        # the slots are the rows before the newest one; the places asked about stand after them
        mine = train[(prepared.user[train] == prepared.user[end]) & (train <= end)]
        slots = found.history.source[window][found.history.mask[window]]
        assert slots.tolist() == mine[len(mine) - 1 - len(slots) : -1].tolist()
        mine = mine[len(mine) - 1 - len(slots) :]
        for place in np.flatnonzero(found.known[window]):
            target = mine[place]
            seen = whole.of(np.array([target]))
            past = seen.source[0][seen.mask[0]].tolist()
            assert is_bought(prepared, target)
            assert found.target[window, place] == prepared.item[target]
            assert mine[:place].tolist() == past[len(past) - place :]
            assert target not in mine[:place]
            asked.append(int(target))
    assert len(asked) == len(set(asked))
    for row in train.tolist():
        past = whole.of(np.array([row]))
        before = train[(prepared.user[train] == prepared.user[row]) & (train < row)]
        strictly = past.source[0][past.mask[0]].tolist() == before.tolist()
        assert (row in asked) == (is_bought(prepared, row) and strictly)


@given(rows=rows_strategy, where=wheres)
@SOME
def test_what_was_viewed_is_in_histories_but_not_seen(rows, where):
    prepared = prepared_of(some_buy(rows))
    every = np.arange(len(prepared))
    bound, plain = rule_of(50, where).bind(prepared), PastHistory(50, where).bind(prepared)
    history = bound.of(every)
    assert history.source.tolist() == plain.of(every).source.tolist()
    row, item = bound.seen(every)
    for target in every.tolist():
        past = history.source[target][history.mask[target]].tolist()
        taken = [r for r in past if is_bought(prepared, r) or prepared.event[r] < 0]
        assert item[row == target].tolist() == prepared.item[taken].tolist()


@given(rows=rows_strategy)
@SOME
def test_given_lists_ask_for_purchases_alone(rows):
    prepared = prepared_of(some_buy(rows))
    sequences = GivenHistory().predicting(["buy"]).sequences(prepared)
    wanted = [row for row in prepared.rows_of("train").tolist() if is_bought(prepared, row)]
    assert sequences.ends.tolist() == wanted


def parts_by_loop(frame):
    """Of each user the newest purchase tests, and the one before it validates, if anything came before that."""
    part = dict.fromkeys(range(len(frame)), "train")
    for user in set(frame["user_id"]):
        mine = [
            r for r in frame.sort("timestamp", "row").iter_rows(named=True) if r["user_id"] == user
        ]
        bought = [place for place, row in enumerate(mine) if row["event"] == "buy"]
        if len(bought) < 2 or bought[-2] == 0:
            continue
        for place, row in enumerate(mine):
            if place >= bought[-1]:
                part[row["row"]] = "test"
            elif place >= bought[-2]:
                part[row["row"]] = "val"
    return list(part.values())


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 9), st.sampled_from(["buy", "click", None])),
        max_size=20,
    )
)
@SOME
def test_the_newest_purchases_are_left_out(rows):
    rows = [(9, 0, "click"), (9, 1, "buy"), (9, 1, "buy"), *rows]  # a user who validates
    schema = {"user_id": pl.Int64, "timestamp": pl.Int64, "event": pl.String}
    frame = pl.DataFrame(rows, schema, orient="row").with_columns(row=pl.int_range(pl.len()))
    found = LeaveLastOutSplit().assign(frame, target_events=["buy"]).to_list()
    assert found == parts_by_loop(frame)
    every = frame.with_columns(event=pl.lit("buy"))
    same = LeaveLastOutSplit().assign(every, target_events=["buy"]).to_list()
    assert same == LeaveLastOutSplit().assign(every).to_list()


def test_what_is_predicted_counts_in_histories():
    with pytest.raises(ConfigError, match=r"\['buy'\] are predicted, but Where.events leaves"):
        rule_of(where=Where(events=["click"]))
    assert rule_of(where=Where(min_rating=4.0)).targets == Where(events=["buy"], min_rating=4.0)


def test_facts_know_what_is_viewed():
    """Items that nobody bought have vectors, and may be recommended."""
    rows = [*(replace(row, part=part) for part in (0, 1) for row in some_buy(ROWS)[:3])]
    prepared = prepared_of(rows)
    special = {"fields": ("title",), "max_tokens": 8, "special": None}
    facts = training_facts(prepared, "next_item", target_events=["buy"], **special)
    assert facts.target_events == ("buy",)
    assert set(facts.item_ids) == {f"i{row.item}" for row in rows}
