from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.validation import to_seconds, typed_behaviors, typed_entities
from lit_rec.errors import DataError


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


def behaviors(**columns):
    count = len(next(iter(columns.values())))
    return pl.DataFrame({"user_id": ["u"] * count, "item_id": ["i"] * count, **columns})


def test_types():
    frame = typed_behaviors(
        behaviors(
            user_id=[1, 2],
            rating=[" 4", None],
            timestamp=["1970-01-02", "7"],
            event=[1, 2],
            history=["a  b ", None],
        ),
        where="t",
    )
    assert frame.to_dict(as_series=False) == {
        "user_id": ["1", "2"],
        "item_id": ["i", "i"],
        "rating": [4.0, None],
        "timestamp": [86400.0, 7.0],
        "event": ["1", "2"],
        "history": [["a", "b"], None],
        "row": [0, 1],
    }


def test_history_lists_of_numbers():
    frame = typed_behaviors(behaviors(history=[[1, None, 2], []]), where="t")
    assert frame["history"].to_list() == [["1", "2"], []]


def test_every_problem_is_collected_with_its_line():
    frame = pl.DataFrame(
        {
            "user_id": ["u", "", "u", None],
            "item_id": ["i", "i", " ", "i"],
            "rating": ["five", "5", "nan", "inf"],
            "timestamp": ["1", "soon", "3", None],
        }
    )
    with pytest.raises(DataError) as caught:
        typed_behaviors(frame, where="b.csv")
    assert "b.csv: 8 problems" in str(caught.value)
    assert caught.value.details == (
        "line 3: user_id '' is empty",
        "line 5: user_id '' is empty",
        "line 4: item_id ' ' is empty",
        "line 2: rating 'five' is not a finite number",
        "line 4: rating 'nan' is not a finite number",
        "line 5: rating 'inf' is not a finite number",
        "line 3: timestamp 'soon' is neither seconds nor an ISO date",
        "line 5: timestamp '' is neither seconds nor an ISO date",
    )


def test_all_problems_are_counted():
    with pytest.raises(DataError, match=r"2,500 problems") as caught:
        typed_behaviors(behaviors(rating=["bad"] * 2500), where="b.csv", header_lines=0)
    assert caught.value.details[0] == "line 1: rating 'bad' is not a finite number"


def test_entities():
    frame = typed_entities(pl.DataFrame({"item_id": [1, 2]}), "item_id", where="i.csv")
    assert frame["item_id"].to_list() == ["1", "2"]
    wrong = pl.DataFrame({"item_id": ["a", "b", "a", None, "a", "b"]})
    with pytest.raises(DataError) as caught:
        typed_entities(wrong, "item_id", where="i.csv")
    assert caught.value.details == (
        "line 5: item_id '' is empty",
        "item_id 'a' stands on lines 2, 4, 6",
        "item_id 'b' stands on lines 3, 7",
    )
