"""What values say of a column."""

from datetime import date, datetime

import polars as pl
import pytest

from lit_rec.init.columns import Column


def column(*values, **options):
    return Column("x", pl.Series(values, **options))


def test_counts_leave_empty_cells_out():
    found = column("a", " a ", "", None, "b")
    assert (found.distinct, found.filled) == (2, 0.6)
    assert not found.is_id_like


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        (["881250949", "891717742"], "s"),
        ([881250949123, 891717742000], "ms"),
        ([1.6e15, 1.7e15], "us"),
        ([1_600_000_000_000_000_000, 1_700_000_000_000_000_000], "ns"),
        (["1", "5"], None),
        (["2020-01-01", "2021-01-01"], None),
        ([881250949, 891717742000], "mixed"),
        ([20170714, 20171231], None),
        ([0, 881250949], "s"),
        ([], None),
    ],
)
def test_unit_of_time(values, unit):
    assert column(*values).time_unit == unit


@pytest.mark.parametrize(
    ("values", "is_date"),
    [
        (["2020-01-01", "2021-12-31"], True),
        (["2020-01-01T10:00:00Z"], True),
        ([date(2020, 1, 1)], True),
        ([datetime(2020, 1, 1)], True),
        (["09/13/2020"], True),
        (["2019-10-01 00:28:02 UTC"], True),
        (["Thu Jul 13 19:40:00 -0700 2017"], True),
        ([20170714, 20171231], True),
        (["13 of 2020"], False),
        (["881250949"], False),
        (["soon"], False),
        ([None], False),
    ],
)
def test_dates(values, is_date):
    assert column(*values).has_dates == is_date


def test_numbers():
    assert column("1", "2.5", None).is_numeric
    assert not column("1", "2.5").is_whole
    assert column("1", "2.0").is_whole
    assert not column("1", "good").is_numeric
    assert column(*["1"] * 99, "n/a").is_numeric
    assert column(3, 5, 9).never_falls
    assert not column(3, 2).never_falls


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["1", "0", None], ("0", "1")),
        ([1, 0], ("0", "1")),
        ([1.0, 0.0], ("0.0", "1.0")),
        ([True, False], ("false", "true")),
        (["Yes", "No"], ("No", "Yes")),
        (["1", "1"], None),
        (["0", "1", "2"], None),
        (["a", "b"], None),
    ],
)
def test_labels(values, labels):
    assert column(*values).labels == labels


def test_keys_and_ids():
    assert column("a", "b").is_key_like
    assert not column("a", "a").is_key_like
    assert column("a", "a").is_id_like
    assert not column("two words", "and more").is_id_like
    assert not column(1.5, 2.5).is_id_like
    assert not column(["a"], ["b"]).is_id_like


def test_words():
    assert column("a red river", "night").words == 2
    assert column("a red river", "night").has_words
    assert column(["Action", "Drama"], ["Drama"]).words == 1.5
    assert column("红色的河流在城市").most_words == 2
    assert column("红色").has_words
    for values in (["1995"], ["https://a.b/c"], ["a.jpg"], ["2020-01-01"], [None]):
        assert not column(*values, dtype=pl.String).has_words
    assert column({"a": 1}).texts.is_empty()


def test_letters_that_english_does_not_have():
    assert column("étoile", "star").foreign == 0.5


def test_values_for_a_comment():
    assert column("b", "a", "b", "c" * 30).shown() == f"'b', 'a', '{'c' * 21}...'"
