"""Splits of random tables: a partition, in order, with ties kept together."""

import numpy as np
import polars as pl
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lit_rec.data.splits import GivenSplit, LeaveLastOutSplit, RandomSplit, Split, TimeSplit
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


def test_order_of_the_rows_does_not_matter_to_the_clock():
    frame = pl.DataFrame({"timestamp": [float(t) for t in range(50)], "row": range(50)})
    mixed = np.random.default_rng(0).permutation(50)
    straight = TimeSplit().assign(frame).to_list()
    assert TimeSplit().assign(frame[mixed]).to_list() == [straight[place] for place in mixed]
