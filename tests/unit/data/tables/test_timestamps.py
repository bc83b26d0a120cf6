from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.tables.times import to_seconds


def seconds(*values):
    return to_seconds(pl.Series(values)).to_list()


@settings(max_examples=50, deadline=None)
@given(
    moment=st.datetimes(datetime(1971, 1, 1), datetime(2090, 1, 1)),
    style=st.sampled_from(["T", " ", "T+01:30", "T-0330", "TZ", " +05", "minutes", "minutesZ"]),
)
def test_iso_text_equals_datetime(moment, style):
    if style.startswith("minutes"):
        text = moment.strftime("%Y-%m-%dT%H:%M") + style.removeprefix("minutes")
    else:
        text = moment.isoformat(style[0]) + style[1:]
    expected = datetime.fromisoformat(text)
    if expected.tzinfo is None:
        expected = expected.replace(tzinfo=UTC)
    assert seconds(text) == [pytest.approx(expected.timestamp(), abs=2e-6)]


@pytest.mark.parametrize("text", ["2020-02-30", "2020-01-01T25:00", "x", "", "20-01-01", "1,5"])
def test_what_is_no_time(text):
    assert seconds(text, "2020-01-01") == [None, 1577836800.0]


def test_numbers_and_dates():
    assert seconds("881250949", " 5.25 ", "1e3") == [881250949.0, 5.25, 1000.0]
    assert seconds("5", "1970-01-02") == [5.0, 86400.0]
    assert seconds(3, 4) == [3.0, 4.0]
    assert seconds(datetime(1970, 1, 2, tzinfo=UTC).date()) == [86400.0]
    zoned = pl.Series([datetime(1970, 1, 2, tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo")
    assert to_seconds(zoned).to_list() == [86400.0]
