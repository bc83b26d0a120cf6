import numpy as np
import polars as pl
import pytest

from lit_rec.data.history.histories import GivenHistory
from lit_rec.data.prepared import Prepared, prepare
from lit_rec.data.tables.cleaning import clean
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import DataError


def tables_of(lists, index):
    behaviors = pl.DataFrame(
        {
            "user_id": ["u", "v", "u", "w"],
            "item_id": ["a", "b", "c", "a"],
            "history_index": pl.Series(index, dtype=pl.UInt32),
            "row": range(4),
        }
    )
    items = pl.DataFrame({"item_id": list("abc"), "title": list("ABC")})
    histories = pl.DataFrame({"history": lists}, schema={"history": pl.List(pl.String)})
    dropped = (CleaningStep("a rule of the reader", 2, 9, "line 3", "lines"),)
    return Tables(behaviors, items, histories=histories, dropped=dropped)


def test_rows_share_a_list_and_see_its_newest_end(tmp_path):
    tables, report = clean(tables_of([["a", "b", "c"], ["c"]], [0, None, 0, 1]))
    assert "a rule of the reader: 2 of 9 lines dropped, such as line 3" in str(report)
    prepare(tables, pl.Series(["train"] * 4), TextTemplate(["title"]), tmp_path)
    data = Prepared.open(tmp_path)
    assert data.has_given
    assert data.given_item.tolist() == [0, 1, 2, 2]
    assert data.given_offsets.tolist() == [0, 3, 4, 4]
    rows = np.argsort(data.row)
    found = GivenHistory(max_length=2).bind(data).of(rows)
    assert [row[mask].tolist() for row, mask in zip(found.item, found.mask, strict=True)] == [
        [1, 2],
        [],
        [1, 2],
        [2],
    ]


def test_unknown_items_of_shared_lists():
    tables = tables_of([["a", "x"], ["y"], ["b"]], [0, None, 0, 1])
    with pytest.raises(
        DataError, match=r"row 1 of the behaviors: in the history, item_id 'x' is not"
    ):
        clean(tables)
    cleaned, report = clean(tables, unknown_items="drop")
    assert cleaned.histories["history"].to_list()[:2] == [["a"], []]
    assert "2 of 3 entries dropped" in str(report)
