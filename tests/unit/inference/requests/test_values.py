"""Ids, numbers of results and times, in all forms that callers have them."""

import datetime as dt
import math

import numpy as np
import pytest

from lit_rec.errors import DataError
from lit_rec.inference.requests.values import at_least_one, id_of, is_missing, time_of

MOMENT = 1_717_180_200.0  # 2024-05-31 18:30 UTC


class NAType:
    """What pandas writes for a missing value: comparing it gives no truth value."""

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None


@pytest.mark.parametrize("value", ["7", 7, 7.0, np.int64(7), np.float32(7), np.str_("7")])
def test_an_id_in_any_form_is_one_text(value):
    assert id_of(value, where="items") == "7"
    assert type(id_of(value, where="items")) is str


def test_ids_stay_as_they_are():
    assert [id_of(v, where="items") for v in ("007", "7.0", " 7", 2.5)] == [
        "007",
        "7.0",
        " 7",
        "2.5",
    ]
    assert id_of(2**60 + 1, where="items") == str(2**60 + 1)


@pytest.mark.parametrize("value", [None, True, math.nan, math.inf, b"7", ["7"], NAType()])
def test_what_is_no_id(value):
    with pytest.raises(DataError, match=r"^deny: .* is no id"):
        id_of(value, where="deny")
    assert id_of("50", where="deny") == "50", "the remedy"


@pytest.mark.parametrize("value", [3, 3.0, np.int32(3), np.float64(3.0)])
def test_a_number_of_results(value):
    assert at_least_one(value) == 3
    assert type(at_least_one(value)) is int


@pytest.mark.parametrize("value", [0, -1, 2.5, "3", None, True, math.nan, math.inf])
def test_no_number_of_results(value):
    with pytest.raises(DataError, match=r"^k: .* (too small|not a whole number)[\s\S]*ask for 10"):
        at_least_one(value)
    assert at_least_one(10) == 10, "the remedy"


@pytest.mark.parametrize(
    "value",
    [
        *(MOMENT, int(MOMENT), str(MOMENT), np.float64(MOMENT)),
        *("2024-05-31T18:30", "2024-05-31 18:30:00", "2024-05-31T20:30:00+02:00"),
        dt.datetime(2024, 5, 31, 18, 30),
        dt.datetime(2024, 5, 31, 20, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        np.datetime64("2024-05-31T18:30"),
        np.datetime64("2024-05-31T18:30:00.000000000"),
    ],
)
def test_a_time_in_any_form(value):
    assert time_of(value) == MOMENT


def test_days_and_unknown_times():
    assert time_of("2024-05-31") == time_of(dt.date(2024, 5, 31)) == MOMENT - 18.5 * 3600
    for unknown in (None, math.nan, NAType(), np.datetime64("NaT")):
        assert is_missing(unknown)
        assert math.isnan(time_of(unknown))


@pytest.mark.parametrize("value", ["today", "", "nan", math.inf, "1e999", [1], True, dt.time(3)])
def test_no_times(value):
    with pytest.raises(DataError, match=r"timestamp: the timestamp .* is not usable"):
        time_of(value, where="timestamp")
    assert time_of("2024-05-31T18:30") == MOMENT, "the remedy"
