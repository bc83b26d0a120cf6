"""Columns of the behaviors by name and by values."""

import polars as pl
import pytest

from lit_rec.errors import ConfigError
from lit_rec.init.behavior_columns import guess_behavior_columns
from lit_rec.init.table_roles import find_roles


@pytest.fixture
def guess(behaviors, items, table):
    """Guess from the behaviors, with columns renamed, added and left out."""

    def found(names=None, named=None, **columns):
        left = [name for name, values in columns.items() if values is None]
        added = {name: values for name, values in columns.items() if values is not None}
        frame = behaviors.drop(left).with_columns(**added).rename(names or {})
        roles = find_roles([table(frame, "b.csv"), table(items, "i.csv")])
        return guess_behavior_columns(roles, named or {})

    return found


def test_by_values_alone(guess):
    found = guess()
    assert found.columns == {"user_id": "u", "item_id": "i", "rating": "r", "timestamp": "t"}
    assert found.why["user_id"] == "by its values; 70 distinct values, 8.6 rows each"
    assert found.why["rating"] == "by its values; 5 distinct numbers from 1 to 5"
    assert "seconds, rising from row to row" in found.why["timestamp"]
    assert "40 distinct values, 100.0 % of them are in `k` of i.csv" in found.why["item_id"]


def test_by_names(guess):
    position = pl.int_range(600) % 20
    names = {"u": "KundenNr", "i": "ArtikelNr", "r": "Bewertung", "t": "Zeit"}
    found = guess(names, position=position, other=pl.lit(3))
    assert list(found.columns.values()) == ["KundenNr", "ArtikelNr", "Bewertung", "Zeit"]


def test_canonical_names_decide(guess):
    found = guess(
        {"r": "rating", "t": "timestamp", "u": "user_id"}, stars=pl.col("r"), member=pl.col("u")
    )
    assert found.columns["rating"] == "rating"
    assert found.columns["user_id"] == "user_id"


def test_labels(guess):
    clicks = pl.int_range(600) % 2
    found = guess(r=None, clicked=clicks)
    assert found.columns["label"] == "clicked"
    assert found.why["label"] == "by its name; '1' in 50.0 % of its rows, else '0'"
    assert guess(r=None, xyz=clicks).columns["label"] == "xyz"
    assert guess(r=None, clicked=clicks == 1).columns["label"] == "clicked"
    assert guess(r=None, score=clicks).columns["label"] == "score"
    # what is named beats what only looks like it
    assert "rating" not in guess(clicked=clicks).columns
    assert guess({"r": "stars"}, clicked=clicks).columns["rating"] == "stars"
    assert guess({"r": "stars"}, ok=clicks, named={"rating": "ok"}).columns["label"] == "ok"


def test_no_rating(guess):
    with pytest.raises(ConfigError) as error:
        guess(r=None, clicked=pl.lit("often"))
    assert "'clicked' holds 'often'" in str(error.value)
    assert "--task next_item" in str(error.value)
    # a quantity is no rating: what comes next is predicted
    found = guess(r=None, quantity=pl.int_range(600) % 7)
    assert found.next_item
    assert found.unused == ["quantity (7 distinct numbers from 0 to 6)"]
    with pytest.raises(ConfigError, match=r"b\.csv has u, i, quantity"):
        guess(r=None, t=None, quantity=pl.int_range(600) % 7)


def test_two_ratings(guess):
    with pytest.raises(ConfigError, match="'r' and 'x' could each be the rating"):
        guess(x=pl.int_range(600) % 7)
    assert guess(x=pl.int_range(600) % 7, named={"rating": "x"}).columns["rating"] == "x"


def test_two_users(guess):
    with pytest.raises(ConfigError) as error:
        guess({"u": "customer"}, member=pl.col("u"))
    assert "'customer' and 'member' could each be the user" in str(error.value)
    assert "--user_column customer" in str(error.value)


def test_no_user(guess):
    with pytest.raises(ConfigError, match="no column looks like the user"):
        guess(u=None)


def test_times(guess):
    assert "milliseconds" in guess(t=pl.col("t") * 1000).why["timestamp"]
    iso = pl.from_epoch("t").dt.strftime("%Y-%m-%d")
    assert "dates, such as '2020-09-13'" in guess(t=iso).why["timestamp"]
    found = guess(t=pl.from_epoch("t").dt.strftime("%d.%m.%Y"))
    assert found.why["timestamp"] == "by its values: dates, the day first, such as '13.09.2020'"
    assert found.times.day_first
    found = guess({"t": "datum"}, t=pl.from_epoch("t").dt.strftime("%d of %m, %Y"))
    assert "`datum`, since '13 of 09, 2020'" in found.notes[0]
    # weeks have an order too, if they are called a time
    found = guess({"t": "time"}, t=pl.int_range(600) // 200 - 1)
    assert found.columns["timestamp"] == "time"
    assert "unknown unit" in found.why["timestamp"]
    assert "seconds" not in found.why["timestamp"]
    assert found.times.unit == "unknown"
    # of two times the finer one
    found = guess({"t": "time"}, day=pl.from_epoch("t").dt.date())
    assert found.columns["timestamp"] == "time"
    assert "not used: day" in found.why["timestamp"]
    assert (
        guess(day=pl.from_epoch("t").dt.date(), named={"timestamp": "day"}).columns["timestamp"]
        == "day"
    )


@pytest.mark.parametrize(
    "name",
    [
        "user_id",
        "userId",
        "customer_id",
        "visitorid",
        "member",
        "account",
        "reviewer",
        "profile name",
        "User-ID",
        "custom",
    ],
)
def test_users_in_the_range_of_times(guess, name):
    """The last name says nothing; but there is no other user."""
    number = 500_000_000 + pl.col("u").str.slice(1).cast(pl.Int64)
    found = guess({"u": name}, u=number, t=None)
    assert found.columns == {"user_id": name, "item_id": "i", "rating": "r"}
    assert guess({"u": name}, u=number).columns["timestamp"] == "t"
    if name != "custom":
        found = guess({"u": name}, u=number, t=None, shop=pl.col("u") + "x").columns
        assert (found["user_id"], "timestamp" in found) == (name, False)


def test_row_numbers_are_nothing(guess):
    numbers = {
        "Unnamed: 0": pl.int_range(600),
        "": pl.int_range(600) * 2,
        "nr": pl.int_range(600) + 1,
    }
    found = guess(**numbers)
    assert set(found.columns.values()) == {"u", "i", "r", "t"}
    assert found.unused == []


def test_parts_events_and_impressions(guess):
    found = guess(
        fold=pl.Series(["train"] * 500 + ["val"] * 50 + ["test"] * 50),
        action=pl.Series(["view", "buy"] * 300),
        request_id=pl.int_range(600) // 10,
        impression_id=pl.int_range(600) // 10,
    ).columns
    assert (found["split"], found["event"]) == ("fold", "action")
    assert found["impression_id"] == "request_id"


def test_days_as_numbers_and_unknown_times(guess):
    day = pl.from_epoch("t").dt.strftime("%Y%m%d").cast(pl.Int64)
    found = guess({"t": "date"}, t=day)
    assert found.why["timestamp"].startswith("by its name and values: dates")
    assert found.times.unit is None
    found = guess(t=pl.when(pl.int_range(600) % 4 == 0).then(0).otherwise(pl.col("t")))
    assert found.times.unknown == (0,)
    assert "150 of 600 times are 0" in found.times.note
    found = guess(t=pl.when(pl.int_range(600) < 5).then(pl.col("t") * 1000).otherwise(pl.col("t")))
    assert found.times.unit == "mixed"


def test_times_that_are_mostly_zero(guess):
    values = pl.when(pl.int_range(600) % 10 == 0).then(pl.col("t")).otherwise(0)
    found = guess({"t": "time"}, t=values)
    assert "timestamp" not in found.columns
    assert "most of its values are 0" in found.notes[0]
    # the reader takes this name whatever the configuration maps
    found = guess({"t": "timestamp"}, t=values)
    assert found.columns["timestamp"] == "timestamp"
    assert "count as the oldest" in found.notes[0]
    assert guess({"t": "t"}, named={"timestamp": "r"}).times.unit == "unknown"


def test_dates_whose_day_cannot_be_seen(guess):
    first_days = pl.from_epoch("t").dt.truncate("1mo").dt.strftime("%d/%m/%Y")
    found = guess(t=first_days)
    assert found.times.day_first is False
    assert "set day_first to true" in found.times.note


def test_column_that_is_not_there(guess):
    with pytest.raises(ConfigError) as error:
        guess(named={"timestamp": "when"})
    assert "--time_column: b.csv has no column 'when'; it has u, i, r, t" in str(error.value)
