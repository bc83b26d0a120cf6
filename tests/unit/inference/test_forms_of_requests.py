"""A request in any form that a caller has it: ids, users, times, numbers and tables."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from lit_rec.errors import DataError

from .conftest import DAY

NEW = {"item_id": "7", "title": "red river", "genres": "day"}


def ids(recommendations):
    return [one.item_id for one in recommendations]


def test_a_user_of_the_data_needs_no_history(rec):
    own = rec.history_of("u4")
    assert rec.recommend(user="u4", k=9) == rec.recommend(own, user="u4", k=9)
    assert rec.score(user="u4", items=["i0"]) == rec.score(own, ["i0"], user="u4")
    assert rec.recommend(user="u4", k=9) != rec.recommend([], user="u4", k=9)
    assert {entry["item_id"] for entry in own}.isdisjoint(ids(rec.recommend(user="u4", k=100)))


@pytest.mark.parametrize("user", ["u44", "405", 405, ""])
def test_an_unknown_user_without_a_history(rec, user):
    for ask in (rec.recommend, lambda **more: rec.score(items=["i0"], **more)):
        with pytest.raises(DataError, match=r"user: '.*' is not among the 6 users[\s\S]*\[\] if"):
            ask(user=user)
        assert ask(history=[], user=user) == ask(history=[]), "the remedy"


def test_a_near_user_is_named(rec):
    with pytest.raises(DataError, match=r"did you mean 'u4'"):
        rec.recommend(user="u44")


def test_users_that_are_numbers(rec):
    stored = rec._users._stored
    rec._users._stored, rec._users._rows = stored, {"405": 4}
    expected = rec.recommend(rec.history_of("405"), k=5)
    assert rec.recommend(user=405, k=5) == rec.recommend(user="405", k=5) == expected


@pytest.fixture
def numbered(rec):
    """A Recommender whose catalogue has an item '7' as well."""
    rec.add_items([NEW])
    return rec


def test_a_number_and_its_text_name_the_same_item(numbered):
    expected = numbered.recommend(["7"], 100)
    assert "7" not in ids(expected)
    for seven in (7, 7.0, np.int64(7), {"item_id": 7}, {"item_id": 7.0}):
        assert numbered.recommend([seven], 100) == expected
    assert ids(numbered.recommend([], allow=[7])) == ["7"]
    assert "7" not in ids(numbered.recommend([], 100, deny=[7]))
    assert numbered.score([], [7]) == numbered.score([], ["7"])
    numbered.remove_items([7])
    assert "7" not in numbered.item_ids


def test_series_and_arrays_of_ids(rec):
    expected = rec.recommend(["i3", "i7"], 5)
    for history in (np.array(["i3", "i7"]), pl.Series(["i3", "i7"]), ("i3", "i7")):
        assert rec.recommend(history, 5) == expected


def test_a_table_is_a_history(rec):
    history = rec.history_of("u4")
    table = pl.DataFrame(history)
    assert rec.recommend(table, 9) == rec.recommend(table.lazy(), 9) == rec.recommend(history, 9)
    assert rec.score(table, pl.Series(["i0"])) == rec.score(history, ["i0"])


def test_times_in_any_form(rec):
    moment = 111 * DAY
    day = dt.datetime.fromtimestamp(moment, dt.UTC)
    plain = rec.score([{"item_id": "i3", "timestamp": moment}], ["i1"], timestamp=moment + DAY)
    for now in (day, day.replace(tzinfo=None), day.date(), day.isoformat(), f"{day:%Y-%m-%d}"):
        entry = {"item_id": "i3", "timestamp": now}
        assert rec.score([entry], ["i1"], timestamp=day + dt.timedelta(days=1)) == plain
        assert rec.score([entry], ["i1"], timestamp=now) != plain


def test_a_number_of_items_that_is_a_float(rec):
    assert (
        rec.recommend(["i3"], 3.0) == rec.recommend(["i3"], np.int64(3)) == rec.recommend(["i3"], 3)
    )
    with pytest.raises(DataError, match=r"k: 2\.5 is not a whole number"):
        rec.recommend(["i3"], 2.5)


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame(NEW),
        pl.DataFrame({**NEW, "item_id": 7}),
        pl.LazyFrame(NEW),
        [NEW],
        [{**NEW, "item_id": 7, "year": 1984}],
        iter([NEW]),
    ],
)
def test_new_items_from_any_table(rec, table):
    rec.add_items(table)
    assert rec.item_ids[-1] == "7"
    (one,) = rec.recommend(["i3"], allow=["7"])
    assert one.fields["title"] == "red river"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (NEW, "no table"),
        ("items.csv", "no table"),
        ([NEW, NEW], r"row 2: has the item_id '7', which is there twice"),
        ([NEW, {**NEW, "item_id": 7}], r"row 2: has the item_id '7', which is there twice"),
        ([{"title": "red"}], "there is no column 'item_id'"),
        ([{**NEW, "item_id": None}], "row 1: has no item_id"),
    ],
)
def test_tables_of_new_items_that_are_wrong(rec, table, said):
    with pytest.raises(DataError, match=said):
        rec.add_items(table)
    assert len(rec.item_ids) == 18


def test_no_new_items(rec):
    for none in ([], pl.DataFrame({"item_id": [], "title": [], "genres": []})):
        rec.add_items(none)
    assert len(rec.item_ids) == 18
