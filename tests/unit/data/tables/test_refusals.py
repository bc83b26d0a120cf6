import polars as pl
import pytest

from lit_rec.data.tables.refusals import refuse, wanted_columns
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError


def test_refused_rows_are_named_and_counted(tmp_path):
    source = Source(tmp_path / "t.tsv", "data.file=t.tsv", "\t", quotes=False)
    column = pl.Series("size", ["1", None, "big", "x" * 90, "y", "z"])
    with pytest.raises(DataError) as caught:
        refuse(column, column != "1", source, "is no number", rule="numbers", remedy="mend")
    assert str(caught.value).startswith(
        f"data.file=t.tsv: size is no number: line 4 ('big'), line 5 ('{'x' * 57}...'), line 6 ('y') and 1 more."
    )
    with pytest.raises(DataError, match=r"line 3 \(nothing\)"):
        refuse(column, column.is_null(), source, "is empty", rule="r", remedy="m")
    refuse(column, column == "no", source, "is no", rule="r", remedy="m")


def test_wanted_columns_are_named(tmp_path):
    source = Source(tmp_path / "t.csv", "t.csv")
    frame = pl.DataFrame({"a": [1], "b": [2]})
    assert wanted_columns(frame, {"x": "b"}, source, remedy="m").rows(named=True) == [{"x": 2}]
    with pytest.raises(
        DataError, match=r"t\.csv, line 1: there is no column 'c'; the file has a, b"
    ):
        wanted_columns(frame, {"x": "c"}, source, remedy="m")
