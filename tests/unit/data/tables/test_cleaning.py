from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from lit_rec.data.tables.cleaning import clean
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.errors import DataError


def tables(**more):
    columns = {
        "user_id": ["u", "u", "v", "u"],
        "item_id": ["a", "x", "b", "a"],
        "timestamp": [1.0, 2.0, 3.0, 1.0],
        "rating": [5.0, 4.0, 3.0, 1.0],
        "row": [0, 1, 2, 3],
        **more,
    }
    return Tables(pl.DataFrame(columns), pl.DataFrame({"item_id": ["a", "b"]}), None, True)


def test_unknown_item_is_an_error():
    with pytest.raises(
        DataError, match=r"row 2 of the behaviors: item_id 'x' is not among the 2"
    ) as caught:
        clean(tables())
    assert "unknown_items to drop to leave such out (1 of 4 behaviors)" in str(caught.value)


def test_unknown_items_are_dropped_and_told():
    cleaned, report = clean(tables(), unknown_items="drop")
    assert cleaned.behaviors["row"].to_list() == [0, 2, 3]
    assert cleaned.ordered
    assert "1 of 4 behaviors dropped, such as row 2 of the behaviors (user u, item x)" in str(
        report
    )


@pytest.mark.parametrize(
    ("which", "rows"), [("keep", [0, 2, 3]), ("first", [0, 2]), ("last", [2, 3])]
)
def test_duplicates(which, rows):
    cleaned, report = clean(tables(), unknown_items="drop", duplicates=which)
    assert cleaned.behaviors["row"].to_list() == rows
    assert ("repeated (user_id, item_id, timestamp)" in str(report)) == (which != "keep")


def test_nothing_dropped():
    _, report = clean(tables(item_id=["a", "b", "b", "a"]))
    assert str(report) == "cleaning: nothing dropped"


def test_nothing_left():
    with pytest.raises(DataError, match="no behavior is left of 4; the first had item_id 'x'"):
        clean(tables(item_id=["x"] * 4), unknown_items="drop")


def test_histories_hold_known_items():
    given = tables(item_id=["a"] * 4, history=[["a", "q", "b"], ["q"], None, []])
    with pytest.raises(DataError, match=r"row 1 .*in the history, item_id 'q'"):
        clean(given)
    cleaned, report = clean(given, unknown_items="drop")
    assert [h or [] for h in cleaned.behaviors["history"].to_list()] == [["a", "b"], [], [], []]
    assert "2 of 4 entries dropped" in str(report)
    assert "item q" in str(report)


@pytest.mark.parametrize(
    ("id_", "near"), [("A ", "a"), ("7.0", "007"), ("7", "007"), ("x", None), ("70", None)]
)
def test_ids_that_differ_only_in_their_writing(id_, near):
    items = pl.DataFrame({"item_id": ["a", "007"]})
    frame = pl.DataFrame({"user_id": ["u"], "item_id": [id_], "row": [0]})
    with pytest.raises(DataError) as caught:
        clean(Tables(frame, items))
    assert f"'{id_}'" in str(caught.value)
    assert (f"there is '{near}'" in str(caught.value)) == (near is not None)


def test_unknown_items_name_file_and_line():
    source = Source.table(Path("b.tsv"), "data.reader.init_args.behaviors")
    with pytest.raises(DataError, match=r"init_args\.behaviors=b\.tsv, line 3: item_id 'x'"):
        clean(replace(tables(), sources=((source, 4),)))
