"""NewUserSplit: nothing of a held-out user trains, and what is shown is where the user began."""

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lit_rec.data.splits.new_users import NewUserSplit
from lit_rec.errors import ConfigError

from .random_behaviors import SOME

one_row = st.tuples(st.integers(0, 9), st.integers(0, 5), st.none() | st.integers(0, 3).map(str))
tables = st.lists(one_row, min_size=30, max_size=80).map(
    lambda rows: pl.DataFrame(
        {
            "user_id": [f"u{user}" for user, _, _ in rows],
            "timestamp": [float(time) for _, time, _ in rows],
            "impression_id": pl.Series([shown for _, _, shown in rows], dtype=pl.String),
            "row": range(len(rows)),
        }
    )
)
numbers = st.one_of(st.integers(1, 3), st.floats(0.1, 0.4))


def begins(frame: pl.DataFrame, user: str) -> list[list[int]]:
    """A user's rows, those of an impression together, in order of their first times, by a loop."""
    together: dict[object, list[int]] = {}
    for place, (owner, shown) in enumerate(frame.select("user_id", "impression_id").rows()):
        if owner == user:
            together.setdefault(place if shown is None else shown, []).append(place)
    time = frame["timestamp"]
    return sorted(together.values(), key=lambda rows: (min(time[r] for r in rows), rows[0]))


@SOME
@given(
    frame=tables,
    validation=numbers,
    test=numbers,
    shown=st.integers(0, 3),
    seed=st.integers(0, 5),
)
def test_users_are_held_out_whole(
    frame: pl.DataFrame, validation: float, test: float, shown: int, seed: int
):
    split = NewUserSplit(validation, test, shown, seed)
    try:
        part = split.assign(frame).to_list()
    except ConfigError:
        assume(False)
    of_user: dict[str, str] = {}
    able = 0
    for user in set(frame["user_id"]):
        rows = begins(frame, user)
        able += len(rows) > shown
        asked = {part[row] for group in rows[shown:] for row in group}
        known = {part[row] for group in rows[:shown] for row in group}
        if "train" in asked | known:
            assert asked | known == {"train"}
            of_user[user] = "train"
        else:
            assert len(asked) == 1
            assert known == ({"shown"} if shown else set())
            of_user[user] = asked.pop()
    for name, wanted in (("val", validation), ("test", test)):
        count = wanted if wanted >= 1 else round(wanted * able)
        assert [*of_user.values()].count(name) == count
    # the same users whatever the order of the rows
    turned = frame.reverse()
    again = dict(zip(turned["user_id"], split.assign(turned), strict=True))
    assert {user for user, name in again.items() if name == "train"} == {
        user for user, name in of_user.items() if name == "train"
    }


def test_another_seed_draws_other_users():
    frame = pl.DataFrame({"user_id": [f"u{n}" for n in range(100)], "row": range(100)})
    one, two = (NewUserSplit(10, 10, 0, seed).assign(frame) for seed in (0, 1))
    assert not one.equals(two)


@pytest.mark.parametrize("ordered", [False, True])
def test_what_is_shown_comes_first_by_the_clock(ordered: bool):
    frame = pl.DataFrame({"user_id": ["b", "a", "a", "a"], "row": range(4)})
    if not ordered:
        frame = frame.with_columns(timestamp=pl.Series([0.0, 9.0, 8.0, 8.0]))
    part = NewUserSplit(1, 0, shown=2).assign(frame, ordered=ordered).to_list()
    # of one second, in the order of the input
    expected = ["shown", "shown", "val"] if ordered else ["val", "shown", "shown"]
    assert part == ["train", *expected]
