"""Timestamps of a user's own table that are no seconds."""

import polars as pl
import pytest

from lit_rec.data.readers.plain import TableReader
from lit_rec.errors import DataError

SECONDS = [1_600_000_000.0, 1_600_000_060.5]


@pytest.fixture
def read(tmp_path):
    def times(values, unit):
        pl.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "a"], "timestamp": values}).write_csv(
            tmp_path / "b.csv"
        )
        pl.DataFrame({"item_id": ["a"], "title": ["x"]}).write_csv(tmp_path / "i.csv")
        reader = TableReader(str(tmp_path / "b.csv"), str(tmp_path / "i.csv"), time_unit=unit)
        return reader.read().behaviors["timestamp"].to_list()

    return times


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_numbers_become_seconds(read, unit, scale):
    assert read([seconds * scale for seconds in SECONDS], unit) == pytest.approx(SECONDS)


def test_dates_have_no_unit(read):
    assert read(["1970-01-02", "1970-01-03"], "s") == [86_400, 172_800]
    with pytest.raises(DataError, match=r"is a date: line 2 \('1970-01-02'\)"):
        read(["1970-01-02", "1970-01-03"], "ms")
