"""Remarks on times: wrong rows are counted, and the advice ends with no wrong row."""

import re

import numpy as np
import polars as pl
import pytest

from lit_rec.check.times import span_of, time_remarks
from lit_rec.data.tables.times import TimeRules

SECONDS = np.arange(1.5e9, 1.5e9 + 480)
HALF = np.arange(480) % 2 == 0


def remarks(numbers, unit="s", unknown=()):
    read = TimeRules(unit, unknown=tuple(unknown)).seconds(pl.Series(numbers))
    return list(time_remarks(read.drop_nulls().to_numpy(), unit))


def followed(said, numbers, unit="s", unknown=()):
    """The rules after the advice of every remark."""
    for text in said:
        if found := re.search(r"time_unit to (\w+)", text):
            unit = found[1]
        if found := re.search(r"unknown_times to \[(.*?)\]", text):
            unknown = [float(value) for value in found[1].split(",")]
    return remarks(numbers, unit, unknown)


@pytest.mark.parametrize(
    ("numbers", "unit", "said"),
    [
        (SECONDS * 1e3, "s", ["time_unit to ms"]),
        (SECONDS * 1e6, "s", ["time_unit to us"]),
        (SECONDS * 1e9, "s", ["time_unit to ns"]),
        (np.where(HALF, SECONDS, SECONDS * 1e3), "s", ["240 of 480 .*time_unit to mixed"]),
        (np.where(HALF, SECONDS, SECONDS * 1e3), "ms", ["240 of 480 .*time_unit to mixed"]),
        # one row among many
        (np.append(SECONDS * 1e3, 1.5e9), "ms", ["1 of 481 .*time_unit to mixed"]),
        (np.where(HALF, 0, SECONDS), "s", [r"240 of 480 .*unknown_times to \[0\]"]),
        (np.where(HALF, -1, SECONDS * 1e3), "ms", [r"240 of 480 .*unknown_times to \[-1\]"]),
        (np.where(HALF, 0, SECONDS * 1e3), "s", ["time_unit to ms", r"unknown_times to \[0\]"]),
        (np.arange(-10.0, 200.0), "s", ["unit is unknown .*time_unit to d .* to unknown"]),
    ],
)
def test_advice_ends_with_no_wrong_row(numbers, unit, said):
    found = remarks(numbers, unit)
    assert len(found) == len(said)
    for text, pattern in zip(found, said, strict=True):
        assert re.search(pattern, text), text
    assert followed(found, numbers, unit) == []


def test_times_as_they_should_be():
    assert remarks(SECONDS) == []
    assert remarks(np.arange(-10.0, 200.0), "unknown") == []
    assert list(time_remarks(np.array([np.nan]), "s")) == []


def test_readers_without_the_options():
    (text,) = time_remarks(np.append(SECONDS, 0), None)
    assert "data.reader" not in text
    assert "leave the rows out" in text


def test_an_order_is_no_date():
    assert span_of(np.array([-10.0, 269.0]), "s") == ("time -10", "time 269")
    assert span_of(np.array([0.0, 1.5e9]), "s") == ("1970-01-01", "2017-07-14")
    assert span_of(np.array([]), "s") == (None, None)
