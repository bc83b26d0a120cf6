import polars as pl
import pytest

from lit_rec.data.splits.new_users import NewUserSplit
from lit_rec.errors import ConfigError


def frame_of(users: str) -> pl.DataFrame:
    times = pl.Series(range(len(users)), dtype=pl.Float64)
    return pl.DataFrame({"user_id": list(users), "timestamp": times, "row": range(len(users))})


def test_an_impression_is_shown_whole():
    shown = pl.Series(["x", None, "x", None, None], dtype=pl.String)
    frame = frame_of("aaaab").with_columns(impression_id=shown)
    part = NewUserSplit(1, 0, shown=2).assign(frame).to_list()
    assert part == ["shown", "shown", "shown", "val", "train"]


def test_a_user_with_nothing_left_to_ask_trains():
    part = NewUserSplit(1, 0, shown=2).assign(frame_of("aabbb")).to_list()
    assert part == ["train", "train", "shown", "shown", "val"]


def test_nothing_is_shown_of_users_of_whom_nothing_shall_be_known():
    frame = frame_of("aab").drop("timestamp")
    part = NewUserSplit(1, 0, shown=0).assign(frame)
    assert set(part) == {"train", "val"}


@pytest.mark.parametrize("wanted", [0, -1, 1.5, -0.1])
def test_numbers_of_users(wanted):
    with pytest.raises(ConfigError, match=rf"{wanted} is no number of users") as caught:
        NewUserSplit(validation=wanted)
    assert "NewUserSplit.validation" in str(caught.value)


def test_nobody_needs_to_test_but_somebody_trains():
    NewUserSplit(test=0)
    with pytest.raises(ConfigError, match=r"-3 is no number of users"):
        NewUserSplit(test=-3)
    with pytest.raises(ConfigError, match="leave nobody to train on"):
        NewUserSplit(0.5, 0.5)


def test_too_few_users():
    with pytest.raises(
        ConfigError, match="2 users to validate and 1 to test are more than 2"
    ) as caught:
        NewUserSplit(2, 1, shown=1).assign(frame_of("aabbc"))
    assert "of 3 users, those with more than 1 rows" in str(caught.value)


def test_everybody_held_out():
    with pytest.raises(ConfigError, match="NewUserSplit leaves no training row of 4"):
        NewUserSplit(1, 1, shown=1).assign(frame_of("aabb"))
