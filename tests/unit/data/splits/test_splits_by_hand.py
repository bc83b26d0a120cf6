import polars as pl
import pytest

from lit_rec.data.splits.splits import GivenSplit, LeaveLastOutSplit, RandomSplit, TimeSplit
from lit_rec.errors import ConfigError


def frame_of(times: list[float], users: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"user_id": list(users or "a" * len(times)), "timestamp": times, "row": range(len(times))}
    )


def test_time_split_keeps_ties_together():
    frame = frame_of([1, 2, 3, 3, 4, 5, 5, 6, 7, 7])
    part = TimeSplit(0.2, 0.2).assign(frame).to_list()
    assert part == ["train"] * 5 + ["val"] * 3 + ["test"] * 2


def test_time_split_without_test_rows():
    part = TimeSplit(0.5, 0.0).assign(frame_of([4, 3, 2, 1])).to_list()
    assert part == ["val", "val", "train", "train"]


def test_declared_order_is_a_clock():
    frame = frame_of([0] * 5).drop("timestamp")
    part = TimeSplit(0.2, 0.2).assign(frame, ordered=True).to_list()
    assert part == ["train"] * 3 + ["val", "test"]
    assert LeaveLastOutSplit().assign(frame, ordered=True).to_list() == part


def test_leave_last_out_takes_ties_in_the_order_of_the_input():
    part = LeaveLastOutSplit().assign(frame_of([2, 1, 2, 9, 9], "aaabb")).to_list()
    assert part == ["val", "train", "test", "train", "train"]


def test_leave_last_out_keeps_an_impression_whole():
    """Its first time is its time, as for TimeSplit: what was shown at 3 and clicked at 9 comes before 5."""
    frame = frame_of([1, 3, 9, 5, 2], "aaaaa").with_columns(
        impression_id=pl.Series([None, "shown", "shown", None, None], dtype=pl.String)
    )
    part = LeaveLastOutSplit().assign(frame).to_list()
    assert part == ["train", "val", "val", "test", "train"]


def test_given_split_draws_validation_from_training_rows():
    frame = frame_of([0.0] * 10).with_columns(split=pl.Series(["train"] * 8 + ["test"] * 2))
    part = GivenSplit(0.25).assign(frame)
    assert part[8:].to_list() == ["test", "test"]
    assert (part == "val").sum() == 2
    assert not part.equals(GivenSplit(0.25, seed=1).assign(frame))


@pytest.mark.parametrize("kind", [RandomSplit, TimeSplit])
@pytest.mark.parametrize(
    ("shares", "seen"),
    [
        ((0.0, 0.1), "0.0 is not"),
        ((-0.2, 0.1), "-0.2 is not"),
        ((0.1, -0.3), "-0.3 is not"),
        ((1.0, 0.1), "1.0 is not"),
        ((float("nan"), 0.1), "nan is not"),
        ((0.6, 0.4), "validation 0.6 and test 0.4"),
    ],
)
def test_unusable_shares(kind, shares, seen):
    with pytest.raises(ConfigError, match=seen):
        kind(*shares)


def test_empty_part_is_an_error():
    with pytest.raises(ConfigError, match="TimeSplit leaves no training row of 3"):
        TimeSplit().assign(frame_of([1, 1, 1]))
    with pytest.raises(ConfigError, match="RandomSplit leaves no validation row of 3"):
        RandomSplit().assign(frame_of([1, 2, 3]))
    all_test = frame_of([1, 1]).with_columns(split=pl.Series(["test", "val"]))
    with pytest.raises(ConfigError, match="GivenSplit leaves no training row of 2"):
        GivenSplit().assign(all_test)


def test_given_split_shows_unknown_parts():
    with pytest.raises(ConfigError, match="GivenSplit, but the data gives no parts"):
        GivenSplit().assign(frame_of([1]))
    for values, seen in ((["train", "valid"], "valid"), (["train", None], "None"), ([1, 2], "1")):
        with pytest.raises(ConfigError, match=rf"'{seen}'"):
            GivenSplit().assign(frame_of([1, 2]).with_columns(split=pl.Series(values)))
