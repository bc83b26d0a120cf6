"""Histories against plain loops, and the promise that no evaluation row's answer reaches a training batch."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.batches import RecBatch
from lit_rec.data.catalogue import Catalogue
from lit_rec.data.collator import BatchRows, RatingCollator
from lit_rec.data.histories import (
    BoundHistory,
    GivenHistory,
    History,
    HistoryRows,
    PastHistory,
    TrainingHistory,
    Where,
)
from lit_rec.data.prepared import PARTS, Prepared, prepare
from lit_rec.data.tables import Tables
from lit_rec.data.text_template import TextTemplate
from lit_rec.data.tokens import TokenStore
from lit_rec.errors import ConfigError

ITEMS = 5
EVENTS = ("buy", "click")


@dataclass(frozen=True)
class Row:
    """One behavior, as the brute-force loops see it."""

    user: int
    item: int
    rating: float | None
    time: int
    part: int
    impression: int | None = None
    event: str | None = None
    history: tuple[int, ...] = ()


FEW = settings(max_examples=25, deadline=None)
SOME = settings(max_examples=50, deadline=None)
one_row = st.builds(
    Row,
    user=st.integers(0, 2),
    item=st.integers(0, ITEMS - 1),
    rating=st.none() | st.integers(1, 5).map(float),
    time=st.integers(0, 4),
    part=st.integers(0, 2),
    impression=st.none() | st.integers(0, 2),
    event=st.none() | st.sampled_from(EVENTS),
    history=st.lists(st.integers(0, ITEMS - 1), max_size=4).map(tuple),
)
rows_strategy = st.lists(one_row, min_size=1, max_size=20)
few_rows = st.lists(one_row, min_size=1, max_size=8)
lengths = st.integers(1, 6)
wheres = st.builds(
    Where,
    events=st.none(),
    min_rating=st.none() | st.integers(1, 5).map(float),
)


def prepared_of(rows: list[Row], *, ordered: bool = False, with_time: bool = True) -> Prepared:
    columns: dict[str, Any] = {
        "user_id": [f"u{r.user}" for r in rows],
        "item_id": [f"i{r.item}" for r in rows],
        "rating": pl.Series([r.rating for r in rows], dtype=pl.Float64),
        "event": pl.Series([r.event for r in rows], dtype=pl.String),
        "impression_id": pl.Series(
            [None if r.impression is None else str(r.impression) for r in rows], dtype=pl.String
        ),
        "history": pl.Series(
            [[f"i{i}" for i in r.history] for r in rows], dtype=pl.List(pl.String)
        ),
        "row": pl.Series(range(len(rows)), dtype=pl.Int64),
    }
    if with_time:
        columns["timestamp"] = [float(r.time) for r in rows]
    ids = [f"i{i}" for i in range(ITEMS)]
    items = pl.DataFrame({"item_id": ids, "title": [f"title {i}" for i in ids]})
    split = pl.Series("part", [PARTS[r.part] for r in rows])
    with tempfile.TemporaryDirectory() as folder:
        tables = Tables(pl.DataFrame(columns), items, ordered=ordered)
        prepare(tables, split, TextTemplate(["title"]), Path(folder))
        return Prepared.open(Path(folder))


def collator_of(prepared: Prepared, history: History) -> RatingCollator:
    store = TokenStore(np.arange(ITEMS, dtype=np.int32), np.arange(ITEMS + 1, dtype=np.int64))
    places = np.arange(ITEMS, dtype=np.int64)
    catalogue = Catalogue(store, places[:, None], places + 1)
    users = np.arange(len(prepared.user_ids), dtype=np.int64)
    return RatingCollator(prepared, history.bind(prepared), catalogue, users, with_texts=True)


def seen(prepared: Prepared, found: HistoryRows, item_of: Callable[[int], int]) -> list[list[int]]:
    """Histories as rows of the input; checks the layout on the way."""
    assert found.source.shape == found.item.shape == found.mask.shape
    assert (found.source[~found.mask] == -1).all()
    assert (found.item[~found.mask] == 0).all()
    assert (np.diff(found.mask.astype(int), axis=1) <= 0).all(), "real slots stand to the left"
    lists = []
    for source, item, mask in zip(found.source, found.item, found.mask, strict=True):
        places = prepared.row[source[mask]].tolist()
        assert item[mask].tolist() == [item_of(place) for place in places]
        lists.append(places)
    return lists


def counts(row: Row, where: Where) -> bool:
    if where.events is not None and row.event not in where.events:
        return False
    return where.min_rating is None or (row.rating is not None and row.rating >= where.min_rating)


def moment(rows: list[Row], place: int, *, ordered: bool, with_time: bool) -> tuple[int, ...]:
    time = (rows[place].time,) if with_time else ()
    return (*time, place) if ordered else time


def past_by_hand(
    rows: list[Row], target: int, length: int, where: Where, *, ordered: bool, with_time: bool
) -> list[int]:
    def clock(place: int) -> tuple[int, ...]:
        return moment(rows, place, ordered=ordered, with_time=with_time)

    row = rows[target]
    shown = [
        place
        for place, other in enumerate(rows)
        if other.user == row.user
        and row.impression is not None
        and other.impression == row.impression
    ]
    bound = min(clock(place) for place in [*shown, target])
    past = [
        place
        for place, other in enumerate(rows)
        if other.user == row.user
        and clock(place) < bound
        and other.part <= row.part
        and counts(other, where)
    ]
    return sorted(past, key=lambda place: (clock(place), place))[-length:]


@pytest.mark.parametrize(("ordered", "with_time"), [(False, True), (True, True), (True, False)])
@SOME
@given(rows=rows_strategy, length=lengths, where=wheres)
def test_past_history_equals_a_loop(
    ordered: bool, with_time: bool, rows: list[Row], length: int, where: Where
):
    prepared = prepared_of(rows, ordered=ordered, with_time=with_time)
    found = PastHistory(length, where).bind(prepared).of(prepared.rows_of("all"))
    lists = seen(prepared, found, lambda place: rows[place].item)
    for place, history in zip(prepared.row.tolist(), lists, strict=True):
        assert history == past_by_hand(
            rows, place, length, where, ordered=ordered, with_time=with_time
        )
        own = rows[place].impression
        assert own is None or own not in [rows[other].impression for other in history]


def training_by_hand(rows: list[Row], target: int, where: Where) -> list[int]:
    places = [
        place
        for place, other in enumerate(rows)
        if other.user == rows[target].user
        and other.part == 0
        and place != target
        and counts(other, where)
    ]
    return sorted(places, key=lambda place: (rows[place].time, place))


@SOME
@given(rows=rows_strategy, length=lengths, where=wheres)
def test_training_history_equals_a_loop(rows: list[Row], length: int, where: Where):
    prepared = prepared_of(rows)
    found = TrainingHistory(length, where).bind(prepared).of(prepared.rows_of("all"))
    lists = seen(prepared, found, lambda place: rows[place].item)
    for place, history in zip(prepared.row.tolist(), lists, strict=True):
        assert history == training_by_hand(rows, place, where)[-length:]


@SOME
@given(rows=rows_strategy, length=lengths, where=wheres, seed=st.integers(0, 9))
def test_training_history_draws_a_subset(rows: list[Row], length: int, where: Where, seed: int):
    prepared = prepared_of(rows)
    bound = TrainingHistory(length, where).bind(prepared)
    everything = prepared.rows_of("all")
    found = bound.of(everything, np.random.default_rng(seed))
    lists = seen(prepared, found, lambda place: rows[place].item)
    for place, history in zip(prepared.row.tolist(), lists, strict=True):
        full = training_by_hand(rows, place, where)
        assert len(history) <= length
        assert history == [other for other in full if other in history], "in order, nothing else"
    again = bound.of(everything, np.random.default_rng(seed))
    assert np.array_equal(found.source, again.source)


def test_training_history_keeps_about_the_share_asked_for():
    rows = [Row(0, place % ITEMS, 3.0, place, 0) for place in range(200)]
    prepared = prepared_of(rows)
    for keep in (0.2, 0.5, 1.0):
        bound = TrainingHistory(500, keep=keep).bind(prepared)
        found = bound.of(prepared.rows_of("all"), np.random.default_rng(0))
        assert found.mask.sum() / (200 * 199) == pytest.approx(keep, abs=0.02)


@SOME
@given(rows=rows_strategy, length=lengths)
def test_given_history_is_what_the_data_says(rows: list[Row], length: int):
    prepared = prepared_of(rows)
    found = GivenHistory(length).bind(prepared).of(prepared.rows_of("all"))
    assert (found.source == -1).all()
    for place, item, mask in zip(prepared.row, found.item, found.mask, strict=True):
        assert item[mask].tolist() == list(rows[place].history[-length:])
        assert (item[~mask] == 0).all()


@SOME
@given(rows=rows_strategy, names=st.lists(st.sampled_from(EVENTS), unique=True), low=lengths)
def test_where_equals_a_loop(rows: list[Row], names: list[str], low: int):
    prepared = prepared_of(rows)
    wanted = [name for name in names if name in prepared.events]
    for where in (Where(), Where(events=wanted), Where(min_rating=low), Where(wanted, low)):
        expected = [counts(rows[place], where) for place in prepared.row]
        assert where.mask(prepared).tolist() == expected


def equal(one: Any, other: Any) -> bool:
    """Whether two parts of batches hold the same values, NaN being equal to NaN."""
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and bool(
            torch.equal(torch.nan_to_num(one, -9.0), torch.nan_to_num(other, -9.0))
            if one.is_floating_point()
            else torch.equal(one, other)
        )
    return all(equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))


def check_no_leak(rows: list[Row], history: History, *, later_of_user: bool) -> None:
    """Change each evaluation row's rating in turn and see what else changes.

    Args:
        rows: The behaviors.
        history: The rule.
        later_of_user: Whether strictly later evaluation rows of the same user may see the change.
    """
    before = prepared_of(rows)
    train, everything = before.rows_of("train"), before.rows_of("all")
    old = collator_of(before, history)
    inputs = inputs_by_row(old(BatchRows(everything)))
    for place, row in enumerate(rows):
        if row.part == 0:
            continue
        rating = 1.0 if row.rating is not None and row.rating > 2 else 5.0
        after = prepared_of([*rows[:place], replace(row, rating=rating), *rows[place + 1 :]])
        new = collator_of(after, history)
        for seed in (None, (0,)):
            batch = BatchRows(train, seed)
            assert not len(train) or equal(old(batch), new(batch)), "a training batch changed"
        for index, (one, two) in enumerate(
            zip(inputs, inputs_by_row(new(BatchRows(everything))), strict=True)
        ):
            other = rows[before.row[index]]
            if not (later_of_user and other.user == row.user and other.time > row.time):
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
            batch.history.age_days[b, mask],
        ]
        found.append(str([part.tolist() for part in parts]))
    return found


@FEW
@given(rows=few_rows, length=lengths, where=wheres)
def test_past_history_leaks_nothing(rows: list[Row], length: int, where: Where):
    check_no_leak(rows, PastHistory(length, where), later_of_user=True)


@FEW
@given(rows=few_rows, length=lengths, where=wheres)
def test_training_history_leaks_nothing(rows: list[Row], length: int, where: Where):
    check_no_leak(rows, TrainingHistory(length, where), later_of_user=False)


@FEW
@given(rows=few_rows, length=lengths)
def test_given_history_leaks_nothing(rows: list[Row], length: int):
    check_no_leak(rows, GivenHistory(length), later_of_user=False)


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


TIED = [
    Row(0, 0, 3.0, 0, 0),
    Row(0, 1, 4.0, 1, 1),
    Row(0, 2, 2.0, 1, 2),
    Row(0, 3, 2.0, 2, 0),
    Row(1, 3, 2.0, 1, 0),
]


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
    check_no_leak(TIED, PastHistory(), later_of_user=True)
    check_no_leak(TIED, TrainingHistory(), later_of_user=False)
    with pytest.raises(AssertionError, match="changed"):
        check_no_leak(TIED, Leaky(allowed), later_of_user=True)


def test_past_history_is_too_much_for_a_stricter_promise():
    with pytest.raises(AssertionError, match="inputs of a row changed"):
        check_no_leak([*TIED, Row(0, 4, 1.0, 3, 2)], PastHistory(), later_of_user=False)


def test_errors_show_what_was_seen():
    prepared = prepared_of(TIED, with_time=False)
    with pytest.raises(ConfigError, match="no timestamp column"):
        PastHistory().bind(prepared)
    with pytest.raises(ConfigError, match="0 is too small"):
        PastHistory(max_length=0)
    with pytest.raises(ConfigError, match=r"1\.5 is not a usable probability"):
        TrainingHistory(keep=1.5)
    with pytest.raises(ConfigError, match="'purchase'") as caught:
        Where(events=["purchase"]).mask(prepared_of([replace(TIED[0], event="buy")]))
    assert "buy" in str(caught.value)
    with pytest.raises(ConfigError, match="no history column"):
        GivenHistory().bind(replace(prepared, has_given=False))
