from pathlib import Path

import polars as pl
import pytest

from lit_rec.data.tables.checks import refuse, typed_behaviors, typed_entities, wanted_columns
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.times import TimeRules
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


SOURCE = Source.table(Path("b.tsv"), "data.file")


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
        SOURCE,
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
    frame = typed_behaviors(behaviors(history=[[1, None, 2], []]), SOURCE)
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
        typed_behaviors(frame, SOURCE)
    assert "data.file=b.tsv: 8 problems" in str(caught.value)
    assert caught.value.details == (
        "user_id is empty: line 3 (''), line 5 (nothing)",
        "item_id is empty: line 4 (' ')",
        "rating is not a finite number: line 2 ('five'), line 4 ('nan'), line 5 ('inf')",
        "timestamp is neither seconds nor an ISO date: line 3 ('soon'), line 5 (nothing)",
    )
    assert len(str(caught.value).splitlines()) <= 8


def test_all_problems_are_counted():
    with pytest.raises(DataError, match=r"2,500 problems") as caught:
        typed_behaviors(behaviors(rating=["bad"] * 2500), SOURCE)
    assert caught.value.details == (
        "rating is not a finite number: line 2 ('bad'), line 3 ('bad'), line 4 ('bad') and 2,497 more",
    )


@pytest.mark.parametrize("rating", [[3.0, float("nan")], [3.0, float("-inf")]])
def test_numbers_that_are_none(rating):
    source = Source.table(Path("b.parquet"), "data.file")
    with pytest.raises(DataError, match=rf"row 2 \({rating[1]}\)"):
        typed_behaviors(behaviors(rating=rating), source)


@pytest.mark.parametrize("name", ["user_id", "rating", "timestamp", "event"])
def test_lists_where_one_value_belongs(name):
    with pytest.raises(
        DataError, match=rf"b\.tsv: column '{name}' holds lists of numbers, such as \[7, 8\]"
    ):
        typed_behaviors(behaviors(**{name: [None, [7, 8]]}), SOURCE)


def test_histories_that_are_no_lists():
    with pytest.raises(DataError, match=r"column 'history' holds objects"):
        typed_behaviors(behaviors(history=[{"a": 1}]), SOURCE)


def test_entities():
    frame = typed_entities(pl.DataFrame({"item_id": [1, 2]}), "item_id", SOURCE)
    assert frame["item_id"].to_list() == ["1", "2"]
    wrong = pl.DataFrame({"item_id": ["a", "b", "a", None, "a", "b", "a"]})
    with pytest.raises(DataError, match="3 problems") as caught:
        typed_entities(wrong, "item_id", SOURCE)
    assert caught.value.details == (
        "item_id is empty: line 5 (nothing)",
        "item_id is repeated: 'a' on line 2, line 4, line 6, ...; 'b' on line 3, line 7",
    )
    assert "every row has its own item_id" in str(caught.value)


def test_many_repeated_ids_are_counted():
    wrong = pl.DataFrame({"user_id": [*"abcde", *"abcde"]})
    with pytest.raises(DataError, match="5 problems") as caught:
        typed_entities(wrong, "user_id", SOURCE)
    assert caught.value.details[0].endswith("'c' on line 4, line 9 and 2 more")


@pytest.mark.parametrize(
    ("column", "values", "seen"),
    [
        ("rating", [1.0, 1e39], r"rating is not a finite number: row 2 \(1e\+39\)"),
        ("rating", ["1", "1e39"], r"row 2 \('1e39'\)"),
        ("timestamp", [0.0, 3.2e13], r"further from 1970 than 9e\+12 seconds: row 2"),
        ("timestamp", ["-5", "-1e300"], r"further from 1970 than 9e\+12 seconds: row 2"),
        ("user_id", [1.0, 2.0**53], r"holds 9007199254740992 as Float64, which also stands for"),
        ("user_id", pl.Series([1, 2**24]).cast(pl.Float32), r"holds 16777216 as Float32"),
        ("user_id", [float("nan"), 1.0], r"user_id is empty: row 1 \(nothing\)"),
        ("user_id", [1.0, float("-inf")], r"holds -inf as Float64"),
        ("user_id", [True, False], r"column 'user_id' holds true and false, such as True"),
        ("impression_id", [1.0, 2.0**60], r"holds 1152921504606846976 as Float64"),
        ("history", [[1.0], [2.0**60]], r"column 'history' holds 1152921504606846976"),
        ("item_id", ["a" * 10**6 + "\n", ""], r"item_id is empty: row 2 \(''\)"),
    ],
)
def test_numbers_that_would_not_be_themselves(column, values, seen):
    frame = pl.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "b"]})
    source = Source.table(Path("b.parquet"), "data.file")
    with pytest.raises(DataError, match=seen):
        typed_behaviors(frame.with_columns(pl.Series(column, values)), source)


def test_floats_of_whole_numbers_are_the_ids_of_the_other_table():
    frame = pl.DataFrame({"user_id": [1.0, -0.0], "item_id": [2.0**53 - 1, 2.5]})
    typed = typed_behaviors(frame, Source.table(Path("b.parquet"), "data.file"))
    assert typed.select("user_id", "item_id").rows() == [("1", "9007199254740991"), ("0", "2.5")]


def test_units_of_times_count():
    source = Source.table(Path("b.parquet"), "data.file")
    frame = pl.DataFrame({"user_id": ["u"], "item_id": ["a"]})
    nanoseconds = frame.with_columns(timestamp=pl.lit(1_700_000_000_000_000_000))
    assert typed_behaviors(nanoseconds, source, times=TimeRules("ns"))["timestamp"].to_list() == [
        1.7e9
    ]
    with pytest.raises(DataError, match="further from 1970"):
        typed_behaviors(nanoseconds, source)
