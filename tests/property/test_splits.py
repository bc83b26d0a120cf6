"""Splits of random tables: a partition, in order, with ties and impressions kept together."""

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lit_rec.data.splits.new_items import NewItemSplit
from lit_rec.data.splits.splits import GivenSplit, LeaveLastOutSplit, RandomSplit, Split, TimeSplit
from lit_rec.errors import ConfigError

RANK = {"train": 0, "val": 1, "test": 2}
SOME = settings(max_examples=50, deadline=None)
tables = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=40).map(
    lambda rows: pl.DataFrame(
        {
            "user_id": [f"u{user}" for user, _ in rows],
            "timestamp": [float(time) for _, time in rows],
            "row": range(len(rows)),
        }
    )
)
shares = st.floats(0.05, 0.45)
impressions = st.lists(st.none() | st.integers(0, 9).map(str), min_size=40, max_size=40)


def with_impressions(frame: pl.DataFrame, ids: list[str | None]) -> pl.DataFrame:
    """Add a column of impressions; two users may have the same id."""
    return frame.with_columns(impression_id=pl.Series(ids[: len(frame)], dtype=pl.String))


def rows_together(frame: pl.DataFrame) -> list[list[int]]:
    """Rows that may not be divided: those of an impression, and each other row alone."""
    found: dict[object, list[int]] = {}
    for place, (user, shown) in enumerate(frame.select("user_id", "impression_id").rows()):
        found.setdefault(place if shown is None else (user, shown), []).append(place)
    return list(found.values())


def parts_of(split: Split, frame: pl.DataFrame) -> list[str]:
    """Parts of the rows; a table too small for the shares is not of interest."""
    try:
        part = split.assign(frame)
    except ConfigError:
        assume(False)
    assert len(part) == len(frame)
    assert set(part) <= set(RANK)
    assert {"train", "val"} <= set(part)
    assert part.to_list() == split.assign(frame).to_list()
    return part.to_list()


@SOME
@given(frame=tables, validation=shares, test=shares, seed=st.integers(0, 5))
def test_random_split_keeps_its_shares(
    frame: pl.DataFrame, validation: float, test: float, seed: int
):
    part = parts_of(RandomSplit(validation, test, seed), frame)
    assert part.count("val") == round(len(frame) * validation)
    assert part.count("test") == round(len(frame) * test)


@SOME
@given(frame=tables, validation=shares, test=shares)
def test_time_split_follows_one_clock(frame: pl.DataFrame, validation: float, test: float):
    part = parts_of(TimeSplit(validation, test), frame)
    time = frame["timestamp"].to_list()
    for one, here in zip(part, time, strict=True):
        for other, there in zip(part, time, strict=True):
            if here == there:
                assert one == other, "a tie is divided"
            if here < there:
                assert RANK[one] <= RANK[other]
    # a time that crosses a border goes whole to the later part
    later = [here for name, here in zip(part, time, strict=True) if name != "train"]
    share = (validation + test) * len(frame)
    assert len(later) >= share - 1e-6
    assert sum(here > min(later) for here in later) < share


@SOME
@given(frame=tables)
def test_leave_last_out_takes_the_newest_two(frame: pl.DataFrame):
    part = parts_of(LeaveLastOutSplit(), frame)
    for user in set(frame["user_id"]):
        rows = [place for place, id_ in enumerate(frame["user_id"]) if id_ == user]
        ordered = sorted(rows, key=lambda place: (frame["timestamp"][place], place))
        names = [part[place] for place in ordered]
        if len(rows) < 3:
            assert set(names) == {"train"}
        else:
            assert names == ["train"] * (len(rows) - 2) + ["val", "test"]


@SOME
@given(frame=tables, names=st.data(), seed=st.integers(0, 5))
def test_given_split_keeps_what_is_given(frame: pl.DataFrame, names: st.DataObject, seed: int):
    count = len(frame)
    given_parts = names.draw(
        st.lists(st.sampled_from([*RANK]), min_size=count, max_size=count), label="parts"
    )
    part = parts_of(GivenSplit(0.2, seed), frame.with_columns(split=pl.Series(given_parts)))
    assert [p == "test" for p in part] == [g == "test" for g in given_parts]
    if "val" in given_parts:
        assert part == given_parts
    else:
        assert part.count("val") == round(given_parts.count("train") * 0.2)


@SOME
@given(frame=tables, ids=impressions, validation=shares, test=shares, seed=st.integers(0, 5))
def test_random_split_draws_whole_impressions(
    frame: pl.DataFrame, ids: list[str | None], validation: float, test: float, seed: int
):
    frame = with_impressions(frame, ids)
    together = rows_together(frame)
    part = parts_of(RandomSplit(validation, test, seed), frame)
    assert all(len({part[place] for place in rows}) == 1 for rows in together)
    # the impression that crosses the end of a share is the last one that goes in
    for name, share in (("val", validation), ("test", test)):
        sizes = [0, *(len(rows) for rows in together if part[rows[0]] == name)]
        wanted = round(len(frame) * share)
        assert wanted <= sum(sizes) < max(wanted, 1) + max(sizes)


@SOME
@given(frame=tables, ids=impressions, validation=shares, test=shares)
def test_time_split_takes_an_impression_at_its_first_time(
    frame: pl.DataFrame, ids: list[str | None], validation: float, test: float
):
    frame = with_impressions(frame, ids)
    first = frame["timestamp"].to_list()
    for rows in rows_together(frame):
        start = min(first[place] for place in rows)
        for place in rows:
            first[place] = start
    plain = frame.drop("impression_id").with_columns(timestamp=pl.Series(first))
    assert parts_of(TimeSplit(validation, test), frame) == parts_of(
        TimeSplit(validation, test), plain
    )


@SOME
@given(frame=tables, ids=impressions)
def test_leave_last_out_takes_whole_impressions(frame: pl.DataFrame, ids: list[str | None]):
    frame = with_impressions(frame, ids)
    part = parts_of(LeaveLastOutSplit(), frame)
    time = frame["timestamp"]
    for user in set(frame["user_id"]):
        of_user = [rows for rows in rows_together(frame) if frame["user_id"][rows[0]] == user]
        of_user.sort(key=lambda rows: (min(time[place] for place in rows), rows[0]))
        names = ["train"] * len(of_user)
        if len(of_user) >= 3:
            names[-2:] = ["val", "test"]
        for rows, name in zip(of_user, names, strict=True):
            assert {part[place] for place in rows} == {name}


@SOME
@given(frame=tables, ids=impressions, names=st.data(), seed=st.integers(0, 5))
def test_given_split_draws_whole_impressions(
    frame: pl.DataFrame, ids: list[str | None], names: st.DataObject, seed: int
):
    frame = with_impressions(frame, ids)
    count = len(frame)
    given_parts = names.draw(
        st.lists(st.sampled_from(["train", "test"]), min_size=count, max_size=count)
    )
    part = parts_of(GivenSplit(0.2, seed), frame.with_columns(split=pl.Series(given_parts)))
    assert [p == "test" for p in part] == [g == "test" for g in given_parts]
    sizes = [0]
    for rows in rows_together(frame):
        drawn = [part[place] for place in rows if given_parts[place] == "train"]
        assert len(set(drawn)) <= 1, "an impression is cut"
        sizes += [len(drawn)] * ("val" in drawn)
    wanted = round(given_parts.count("train") * 0.2)
    assert wanted <= sum(sizes) < wanted + max(sizes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [10, 57, 400])
def test_draws_of_single_rows_stay_what_they_were(count: int, seed: int):
    """The draws written out: published results must not change, with an empty column of impressions or without one."""
    rng = np.random.default_rng(count)
    given_parts = rng.choice(["train", "test"], count)
    plain = pl.DataFrame(
        {
            "user_id": rng.integers(0, 4, count).astype(str),
            "timestamp": rng.integers(0, 99, count).astype(float),
            "row": range(count),
            "split": given_parts,
        }
    )
    alone = with_impressions(plain, [None] * count)

    def both(split: Split) -> list[str]:
        parts = split.assign(plain).to_list()
        assert parts == split.assign(alone).to_list()
        return parts

    order = np.random.default_rng(seed).permutation(count)
    num_val, num_test = round(count * 0.3), round(count * 0.2)
    expected = np.full(count, "train")
    expected[order[:num_test]] = "test"
    expected[order[num_test : num_test + num_val]] = "val"
    assert both(RandomSplit(0.3, 0.2, seed)) == expected.tolist()

    train = np.flatnonzero(given_parts == "train")
    expected = given_parts.copy()
    expected[np.random.default_rng(seed).permutation(train)[: round(len(train) * 0.3)]] = "val"
    assert both(GivenSplit(0.3, seed)) == expected.tolist()
    both(TimeSplit(0.3, 0.2))
    both(LeaveLastOutSplit())


def test_order_of_the_rows_does_not_matter_to_the_clock():
    frame = pl.DataFrame({"timestamp": [float(t) for t in range(50)], "row": range(50)})
    mixed = np.random.default_rng(0).permutation(50)
    straight = TimeSplit().assign(frame).to_list()
    assert TimeSplit().assign(frame[mixed]).to_list() == [straight[place] for place in mixed]


@SOME
@given(
    item=st.lists(st.integers(0, 12), min_size=4, max_size=60),
    shares=st.tuples(st.floats(0.05, 0.45), st.floats(0, 0.45)),
    seed=st.integers(0, 5),
)
def test_new_items_are_seen_by_no_other_part(
    item: list[int], shares: tuple[float, float], seed: int
):
    frame = pl.DataFrame({"item_id": [f"i{code}" for code in item], "row": range(len(item))})
    split = NewItemSplit(*shares, seed)
    of_part: dict[str, set[str]] = {"train": set(), "val": set(), "test": set()}
    of_item = dict(zip(frame["item_id"], parts_of(split, frame), strict=True))
    for row, part in zip(frame["item_id"], parts_of(split, frame), strict=True):
        of_part[part].add(row)
    assert sum(map(len, of_part.values())) == len(set(item))
    assert len(of_part["val"]) == round(len(set(item)) * shares[0])
    assert len(of_part["test"]) == round(len(set(item)) * shares[1])
    # the same items whatever the order of the rows
    turned = frame.reverse()
    assert dict(zip(turned["item_id"], parts_of(split, turned), strict=True)) == of_item


@SOME
@given(frame=tables, item=st.lists(st.integers(0, 9), min_size=40, max_size=40))
def test_new_items_beside_the_last_rows_of_known_ones(frame: pl.DataFrame, item: list[int]):
    frame = frame.with_columns(item_id=pl.Series([f"i{code}" for code in item[: len(frame)]]))
    new = np.array(parts_of(NewItemSplit(0.2, 0.2), frame))
    both = np.array(parts_of(NewItemSplit(0.2, 0.2, last=True), frame))
    known = new == "train"
    assert (both[~known] == new[~known]).all()
    rest = frame.filter(pl.Series(known))
    for user in rest["user_id"].unique():
        rows = rest.with_columns(part=pl.Series(both[known])).filter(pl.col("user_id") == user)
        inner = ["train"] * (len(rows) - 2) + ["val", "test"]
        wanted = inner if len(rows) > 2 else ["train"] * len(rows)
        assert rows.sort("timestamp", "row")["part"].to_list() == wanted
