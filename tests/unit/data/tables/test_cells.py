"""Missing values, decimal commas and HTML in cells."""

import polars as pl
import pytest

from lit_rec.data.tables.cells import CellRules, has_decimal_commas

MARKERS = ["NaN", "nan", "NULL", "null", "None", "NA", "N/A", "n/a", "-", "\\N", "", " NA "]


@pytest.mark.parametrize("marker", MARKERS)
def test_missing_values(marker):
    column = pl.Series("a", ["4", marker])
    assert CellRules().read(column).to_list() == ["4", None]
    assert CellRules().read_ids(column).to_list() == ["4", marker]


def test_words_that_are_values():
    words = ["none", "na", "Nana", "no", "--", "0", "-1", "nothing"]
    assert CellRules().read(pl.Series("a", words)).to_list() == words


def test_numbers_that_stand_for_a_missing_value():
    texts = pl.Series("a", ["4", "-1", "-1.0", " 0", "NA", "?"])
    assert CellRules([-1, "0"]).read(texts).to_list() == ["4", *[None] * 5]
    assert CellRules([-1]).read_ids(texts).to_list() == ["4", None, None, " 0", "NA", "?"]
    assert CellRules({"a": [0]}).read(texts).to_list() == ["4", "-1", "-1.0", None, None, None]
    assert CellRules({"b": [0]}).read(texts).to_list() == ["4", "-1", "-1.0", " 0", None, None]
    floats = pl.Series("a", [4.0, -1.0, float("nan")])
    assert CellRules({"a": [-1]}).read(floats).to_list() == [4.0, None, None]
    assert CellRules(["-1"]).read(pl.Series("a", [4, -1])).to_list() == [4, None]


def test_no_text_stands_for_a_missing_value():
    texts = pl.Series("a", ["NA", "null", "x"])
    assert CellRules({"a": []}).read(texts).to_list() == ["NA", "null", "x"]


def test_decimal_commas():
    rules = CellRules(decimal=",")
    assert rules.read(pl.Series("a", ["3,5", "1.234,75", "4", "NA"])).to_list() == [
        *("3.5", "1234.75", "4", None),
    ]
    for texts in (["3,5", "a"], ["3.5", "4"], ["Heat, Ran"], ["1,2,3"]):
        assert rules.read(pl.Series("a", texts)).to_list() == texts
        assert not has_decimal_commas(pl.Series("a", texts))
    assert rules.numbers(pl.Series("a", ["3,5", "good"])).to_list() == ["3.5", "good"]
    assert CellRules().numbers(pl.Series("a", ["3,5"])).to_list() == ["3,5"]


def test_html_only_where_it_is():
    texts = [
        *("<p>One<br/>two</p>", "Caf&eacute; &amp; bar", "Map<Key, Value> & more", "a < b, c > d"),
        *("  as it   is ", "I <3 this", "R&D; AT&T", "<b>", '<span class="a-size-large a-spacing'),
        *("Fine<img src='a.png' alt=", "x <i", "&unknown; word", "<!-- a --> b"),
    ]
    assert CellRules().read(pl.Series("a", texts)).to_list() == [
        *("One two", "Café & bar", "Map<Key, Value> & more", "a < b, c > d"),
        *("  as it   is ", "I <3 this", "R&D; AT&T", None, None),
        *("Fine", "x <i", "&unknown; word", "b"),
    ]
    assert CellRules(clean_html=False).read(pl.Series("a", texts)).to_list() == texts


def test_html_in_lists():
    lists = pl.Series("a", [["<b>A</b>", "B"], None, [], ["C", None], ["&lt;x&gt;"]])
    assert CellRules().read(lists).to_list() == [["A", "B"], None, [], ["C", None], ["<x>"]]
    numbers = pl.Series("a", [[1, 2], None])
    assert CellRules().read(numbers).equals(numbers)


def test_spaces_around_ids():
    ids = pl.Series("a", [" 7", "7 ", None])
    assert CellRules().read_ids(ids).to_list() == [" 7", "7 ", None]
    assert CellRules(strip_ids=True).read_ids(ids).to_list() == ["7", "7", None]
    lists = pl.Series("a", [[" 7", "8"]])
    assert CellRules(strip_ids=True).read_ids(lists).to_list() == [["7", "8"]]
