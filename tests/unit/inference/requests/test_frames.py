"""Tables of a request: Polars, pandas, lists of mappings; everything else is refused in a sentence."""

import math
from types import SimpleNamespace

import polars as pl
import pytest

from lit_rec.errors import DataError
from lit_rec.inference.requests.frames import is_frame, table_of

ROWS = [("7", "Heat"), ("8", None)]


class DataFrame:
    """The part of a pandas frame that is read; pandas itself need not be installed."""

    __module__ = "pandas.core.frame"

    def __init__(self, columns, index_name=None):
        self._columns, self.index = columns, SimpleNamespace(name=index_name)

    def reset_index(self):
        count = len(next(iter(self._columns.values())))
        return DataFrame({self.index.name: list(range(count)), **self._columns})

    def to_dict(self, orient):
        assert orient == "list"
        return self._columns


@pytest.mark.parametrize(
    "given",
    [
        pl.DataFrame({"item_id": ["7", "8"], "title": ["Heat", None]}),
        pl.LazyFrame({"item_id": ["7", "8"], "title": ["Heat", None]}),
        [{"item_id": "7", "title": "Heat"}, {"item_id": "8"}],
        ({"item_id": i, "title": t} for i, t in ROWS),
        [{"item_id": 7, "title": "Heat"}, {"item_id": "8", "title": math.nan}],
        DataFrame({"item_id": ["7", "8"], "title": ["Heat", math.nan]}),
    ],
    ids=["polars", "lazy", "mappings", "generator", "mixed types", "pandas"],
)
def test_each_form_gives_the_same_table(given):
    assert table_of(given, where="add_items").rows() == ROWS


def test_a_named_index_of_pandas_is_a_column():
    table = table_of(DataFrame({"title": ["Heat"]}, index_name="item_id"), where="add_items")
    assert table.rows(named=True) == [{"item_id": 0, "title": "Heat"}]
    assert table_of(DataFrame({"title": ["Heat"]}), where="add_items").columns == ["title"]


def test_a_real_frame_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"item_id": [7, 8], "title": ["Heat", None], "year": [1995, None]})
    assert is_frame(frame)
    assert table_of(frame, where="add_items").rows() == [(7, "Heat", 1995.0), (8, None, None)]
    frame = frame.set_index("item_id")
    assert table_of(frame, where="add_items")["item_id"].to_list() == [7, 8]


def test_lists_and_numbers_in_one_column_become_texts():
    given = [{"item_id": 1, "genres": ["Drama", "War"]}, {"item_id": 2, "genres": 7}]
    assert table_of(given, where="add_items")["genres"].to_list() == ["Drama, War", "7"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"item_id": "7"}, r"no table[\s\S]*write \[\{"),
        ({"item_id": ["7"]}, r"no table[\s\S]*polars.DataFrame"),
        ("items.csv", "'items.csv' is str, no table"),
        (None, "nothing is NoneType, no table"),
        (7, "7 is int, no table"),
        ([{"item_id": "7"}, "8"], "add_items, row 2: '8' is str, not a mapping"),
    ],
)
def test_everything_else_is_refused(given, said):
    with pytest.raises(DataError, match=said):
        table_of(given, where="add_items")
    for remedy in ([{"item_id": "1", "title": "..."}], pl.DataFrame({"item_id": ["7"]})):
        assert len(table_of(remedy, where="add_items")) == 1
