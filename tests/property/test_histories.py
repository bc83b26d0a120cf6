"""Histories against plain loops."""

import itertools
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_rec.data.history.histories import (
    GivenHistory,
    HistoryRows,
    PastHistory,
    TrainingHistory,
    Where,
)
from lit_rec.data.history.rule import BoundOrderedHistory
from lit_rec.data.prepared import Prepared
from lit_rec.errors import ConfigError

from .random_behaviors import (
    EVENTS,
    ITEMS,
    SOME,
    TIED,
    Row,
    counts,
    lengths,
    may_see,
    prepared_of,
    rows_strategy,
    wheres,
)


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
        and may_see(row, other, past=True)
        and counts(other, where)
    ]
    return sorted(past, key=lambda place: (clock(place), place))[-length:]


def seen_before(bound: BoundOrderedHistory, count: int) -> list[list[int]]:
    """What counts before each row of ``Prepared``, however long ago: a list per row."""
    row, item = bound.seen(np.arange(count))
    assert (np.diff(row) >= 0).all()
    return [item[row == place].tolist() for place in range(count)]


@pytest.mark.parametrize(("ordered", "with_time"), [(False, True), (True, True), (True, False)])
@SOME
@given(rows=rows_strategy, length=lengths, where=wheres)
def test_past_history_equals_a_loop(
    ordered: bool, with_time: bool, rows: list[Row], length: int, where: Where
):
    prepared = prepared_of(rows, ordered=ordered, with_time=with_time)
    bound = PastHistory(length, where).bind(prepared)
    found = bound.of(prepared.rows_of("all"))
    lists = seen(prepared, found, lambda place: rows[place].item)
    uncut = seen_before(bound, len(rows))
    for place, history, all_ in zip(prepared.row.tolist(), lists, uncut, strict=True):
        past = past_by_hand(rows, place, 0, where, ordered=ordered, with_time=with_time)
        assert history == past[-length:]
        assert all_ == [rows[other].item for other in past], "what was seen is not cut"
        own = rows[place].impression
        assert own is None or own not in [rows[other].impression for other in history]


def training_by_hand(rows: list[Row], target: int, where: Where) -> list[int]:
    places = [
        place
        for place, other in enumerate(rows)
        if other.user == rows[target].user
        and may_see(rows[target], other, past=False)
        and place != target
        and (other.impression is None or other.impression != rows[target].impression)
        and counts(other, where)
    ]
    return sorted(places, key=lambda place: (rows[place].time, place))


@pytest.mark.parametrize("oldest", [False, True])
@SOME
@given(rows=rows_strategy, length=lengths, where=wheres)
def test_training_history_equals_a_loop(oldest: bool, rows: list[Row], length: int, where: Where):
    prepared = prepared_of(rows)
    rule = TrainingHistory(length, where, oldest=oldest)
    found = rule.bind(prepared).of(prepared.rows_of("all"))
    lists = seen(prepared, found, lambda place: rows[place].item)
    for place, history in zip(prepared.row.tolist(), lists, strict=True):
        whole = training_by_hand(rows, place, where)
        assert history == (whole[:length] if oldest else whole[-length:])


@pytest.mark.parametrize("together", [False, True])
@SOME
@given(rows=rows_strategy, length=lengths, where=wheres, seed=st.integers(0, 9))
def test_training_history_draws_a_subset(
    together: bool, rows: list[Row], length: int, where: Where, seed: int
):
    prepared = prepared_of(rows)
    bound = TrainingHistory(length, where, together=together).bind(prepared)
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


@pytest.mark.parametrize("oldest", [False, True])
def test_training_history_draws_every_subset_as_often_as_it_should(oldest: bool):
    """Six rows, each but the target kept by a chance of 0.3, two of those at one end.

    Compared with all 32 subsets of the five others.
    """
    prepared = prepared_of([Row(0, place % ITEMS, 3.0, place, 0) for place in range(6)])
    bound = TrainingHistory(2, keep=0.3, oldest=oldest).bind(prepared)
    expected: Counter[tuple[int, ...]] = Counter()
    for kept in itertools.product((False, True), repeat=5):
        others = [place for place, stays in zip((0, 1, 2, 4, 5), kept, strict=True) if stays]
        expected[tuple(others[:2] if oldest else others[-2:])] += 0.3 ** sum(kept) * 0.7 ** (
            5 - sum(kept)
        )
    draws = 20_000
    found = bound.of(np.full(draws, 3), np.random.default_rng(0))
    drawn = Counter(
        tuple(source[mask].tolist()) for source, mask in zip(found.source, found.mask, strict=True)
    )
    assert drawn.keys() == expected.keys()
    for history, chance in expected.items():
        # five standard deviations
        slack = 5 * (chance * (1 - chance) / draws) ** 0.5
        assert drawn[history] / draws == pytest.approx(chance, abs=slack), history


@pytest.mark.parametrize("oldest", [False, True])
@SOME
@given(rows=rows_strategy, length=lengths, seed=st.integers(0, 9))
def test_items_drawn_together(oldest: bool, rows: list[Row], length: int, seed: int):
    """One set of items explains all histories: each has its user's rows whose item is in it, cut to its length."""
    prepared = prepared_of(rows)
    rule = TrainingHistory(length, oldest=oldest, together=True)
    found = rule.bind(prepared).of(prepared.rows_of("all"), np.random.default_rng(seed))
    lists = seen(prepared, found, lambda place: rows[place].item)
    stay = {rows[place].item for history in lists for place in history}
    uncut = TrainingHistory(len(rows), oldest=oldest, together=True).bind(prepared)
    rng = np.random.default_rng(seed)
    every = seen(prepared, uncut.of(prepared.rows_of("all"), rng), lambda place: rows[place].item)
    stay |= {rows[place].item for history in every for place in history}
    for place, history, longer in zip(prepared.row.tolist(), lists, every, strict=True):
        full = [at for at in training_by_hand(rows, place, Where()) if rows[at].item in stay]
        assert longer == full
        assert history == (full[:length] if oldest else full[-length:])


def test_items_drawn_together_stay_as_often_as_they_should():
    """Each of five items in a share of 0.3 of the batches, and two of them together in 0.09."""
    prepared = prepared_of([Row(0, place % ITEMS, 3.0, place, 0) for place in range(ITEMS)])
    bound = TrainingHistory(ITEMS, keep=0.3, together=True).bind(prepared)
    drawn = np.zeros((10_000, ITEMS))
    for turn in range(len(drawn)):
        found = bound.of(np.array([0]), np.random.default_rng(turn))
        drawn[turn, found.item[found.mask]] = 1
    stays = np.flatnonzero(drawn.any(0))  # all but the target's own
    assert len(stays) == ITEMS - 1
    assert drawn[:, stays].mean(0) == pytest.approx(0.3, abs=0.025)
    one, two = stays[:2]
    assert (drawn[:, one] * drawn[:, two]).mean() == pytest.approx(0.09, abs=0.015)


@pytest.mark.parametrize("oldest", [False, True])
def test_long_histories_drawn_together_are_full(oldest: bool):
    """Each row another item, 50 of 5,000 looked for: those at one end of all that stay."""
    rows = [Row(0, 0, 3.0, place, 0) for place in range(5_000)]
    prepared = replace(prepared_of(rows), item=np.arange(5_000))
    rule = TrainingHistory(50, keep=0.2, oldest=oldest, together=True)
    for seed in range(20):
        found = rule.bind(prepared).of(np.array([2_500]), np.random.default_rng(seed))
        stays = np.random.default_rng(seed).random(5_000) < 0.2
        stays[2_500] = False
        expected = np.flatnonzero(stays)
        assert found.item[0].tolist() == (expected[:50] if oldest else expected[-50:]).tolist()


def test_a_draw_costs_what_it_keeps_not_what_a_user_did():
    prepared = prepared_of([Row(0, place % ITEMS, 3.0, place, 0) for place in range(20_000)])
    bound = TrainingHistory(5).bind(prepared)
    rows = np.arange(1_000)
    tracemalloc.start()
    found = bound.of(rows, np.random.default_rng(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.mask.shape == (1_000, 5)
    assert peak < len(rows) * 20_000, "less than a byte for each row of the user and of the batch"


@SOME
@given(rows=rows_strategy, length=lengths)
def test_given_history_is_what_the_data_says(rows: list[Row], length: int):
    prepared = prepared_of(rows)
    bound = GivenHistory(length).bind(prepared)
    found = bound.of(prepared.rows_of("all"))
    assert (found.source == -1).all()
    everything = [list(rows[place].history) for place in prepared.row]
    assert seen_before(bound, len(rows)) == everything
    for history, item, mask in zip(everything, found.item, found.mask, strict=True):
        assert item[mask].tolist() == history[-length:]
        assert (item[~mask] == 0).all()


@SOME
@given(rows=rows_strategy, names=st.lists(st.sampled_from(EVENTS), unique=True), low=lengths)
def test_where_equals_a_loop(rows: list[Row], names: list[str], low: int):
    prepared = prepared_of(rows)
    wanted = [name for name in names if name in prepared.events]
    for where in (Where(), Where(events=wanted), Where(min_rating=low), Where(wanted, low)):
        expected = [counts(rows[place], where) for place in prepared.row]
        assert where.mask(prepared).tolist() == expected


def test_errors_show_what_was_seen():
    prepared = prepared_of(TIED, with_time=False)
    with pytest.raises(ConfigError, match="no timestamp column"):
        PastHistory().bind(prepared)
    with pytest.raises(ConfigError, match="the oldest rows, but the behaviors have no timestamp"):
        TrainingHistory(oldest=True).bind(prepared)
    with pytest.raises(ConfigError, match="0 is too small"):
        PastHistory(max_length=0)
    with pytest.raises(ConfigError, match=r"1\.5 is not a usable probability"):
        TrainingHistory(keep=1.5)
    with pytest.raises(ConfigError, match="'purchase'") as caught:
        Where(events=["purchase"]).mask(prepared_of([replace(TIED[0], event="buy")]))
    assert "buy" in str(caught.value)
    with pytest.raises(ConfigError, match="no history column"):
        GivenHistory().bind(replace(prepared, has_given=False))
