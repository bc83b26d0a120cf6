"""Dates as other programs write them, against Python's own readers."""

import calendar
from datetime import UTC, datetime
from email.utils import format_datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.readers.plain import TableReader
from lit_rec.data.tables.times import TimeRules, to_seconds
from lit_rec.errors import DataError

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2068, 1, 1)).map(
    lambda d: d.replace(microsecond=0, tzinfo=UTC)
)
CLEAR = (
    "%Y-%m-%d %H:%M:%S UTC",
    "%a %b %d %H:%M:%S +0000 %Y",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S UTC %Y",
    "%Y/%m/%d %H:%M:%S",
    "%d %B %Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S",
    "%B %d, %Y %I:%M:%S %p",
    "%b %d, %Y, %I:%M:%S %p",
    "%b %d, %Y at %H:%M:%S",
    "%m %d, %Y %H:%M:%S",
    "%Y%m%d%H%M%S",
)


def seconds(*values, **options):
    return to_seconds(pl.Series(values), **options).to_list()


@settings(max_examples=60, deadline=None)
@given(moment=MOMENTS, form=st.sampled_from(CLEAR))
def test_forms_that_are_clear(moment, form):
    assert seconds(moment.strftime(form)) == [moment.timestamp()]


@settings(max_examples=30, deadline=None)
@given(
    moment=MOMENTS, day_first=st.booleans(), sign=st.sampled_from("/.-"), year=st.sampled_from("yY")
)
def test_the_year_last(moment, day_first, sign, year):
    days = ("%d", "%m") if day_first else ("%m", "%d")
    text = moment.strftime(f"{sign.join((*days, f'%{year}'))} %H:%M:%S")
    assert seconds(text, "x", day_first=day_first) == [moment.timestamp(), None]
    assert seconds(text, "x") == [None, None]


def test_zones_and_mails():
    assert seconds("Thu Jul 13 19:40:00 -0700 2017") == [1500000000.0]
    moment = datetime(2017, 7, 14, 2, 40, tzinfo=UTC)
    assert seconds(format_datetime(moment)) == [calendar.timegm(moment.timetuple())]
    assert seconds("Fri, 14 Jul 2017 02:40:00 GMT") == [1500000000.0]


@pytest.mark.parametrize(
    "text",
    [
        "31 Foo 2019",
        "2019/13/01",
        "Thu Feb 30 10:00:00 2017",
        "2017/01/01 25:00",
        "13 14, 2019",
        "Thu Jul 13 19:40:00 PST 2017",
        "Dune 12, 2019",
    ],
)
def test_what_only_looks_like_a_date(text):
    assert seconds(text, "2020-01-01")[0] is None


def test_days_as_numbers():
    assert seconds(20170714, 20170715) == [1499990400.0, 1500076800.0]
    assert seconds("20170714", "20170714") == [1499990400.0] * 2
    # nearly all are days: another number is no time
    assert seconds(*[20170714] * 20, 0)[-1] is None
    # seconds of 1970
    assert seconds(20171399, 20175700) == [20171399.0, 20175700.0]
    assert TimeRules("unknown").seconds(pl.Series([20170714])).to_list() == [20170714.0]


def test_days_since_1970():
    assert TimeRules("d").seconds(pl.Series([1, -10])).to_list() == [86400.0, -864000.0]


@pytest.fixture
def read(tmp_path):
    def behaviors(values, **options):
        frame = pl.DataFrame({"user_id": "u", "item_id": "a", "timestamp": values})
        frame.write_csv(tmp_path / "b.csv")
        pl.DataFrame({"item_id": ["a"], "title": ["x"]}).write_csv(tmp_path / "i.csv")
        return TableReader(str(tmp_path / "b.csv"), str(tmp_path / "i.csv"), **options).read()

    return behaviors


def test_the_error_names_the_option_that_reads_them(read):
    values = ["31/12/2019", "01/02/2019"]
    with pytest.raises(DataError, match="does not show which number is the day") as error:
        read(values)
    assert "day_first to true" in str(error.value)
    assert read(values, day_first=True).behaviors["timestamp"].to_list() == [
        1577750400.0,
        1548979200.0,
    ]
    with pytest.raises(DataError, match=r"has no month first: line 2 \('31/12/2019'\)"):
        read(values, day_first=False)


def test_unknown_times_are_left_out_and_counted(read):
    values = [0, 1500000000, -1, 1500000060000]
    tables = read(values, time_unit="mixed", unknown_times=[0, -1])
    assert tables.behaviors["timestamp"].to_list() == [1500000000.0, 1500000060.0]
    assert (tables.dropped[-1].dropped, tables.dropped[-1].of) == (2, 4)
    assert tables.place(tables.behaviors["row"][1]).endswith("line 5")
