"""Tab-separated files with and without quotes, as pandas, R and spreadsheets write them."""

import csv
import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import read_table
from lit_rec.errors import DataError

CELLS = st.text(st.sampled_from('ab"\t\n\u00e9'), max_size=5)


@pytest.fixture
def rows(tmp_path):
    """Write a text as a file, and return what is read."""

    def read(text, name="t.tsv"):
        (tmp_path / name).write_bytes(text.encode())
        return read_table(tmp_path / name, option="file").rows()

    return read


def written(table, **options):
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n", **options).writerows(table)
    return text.getvalue()


@settings(max_examples=50, deadline=None)
@given(table=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_cells_that_are_all_in_quotes(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("quotes") / "t.tsv"
    path.write_text(written([("x", "y"), *table], quoting=csv.QUOTE_ALL), newline="")
    found = read_table(path, option="file").rows()
    assert [tuple(cell or "" for cell in row) for row in found] == table


def test_line_breaks_and_tabs_in_some_cells(rows):
    table = [("7", "one\nline", "a"), ("8", "plain", "b"), ("9", 'a\ttab and a "quote"', "c")]
    assert rows(written([("id", "title", "kind"), *table])) == table


def test_only_quotes_in_some_cells(rows):
    table = [("7", 'a 5" nail', "a"), ("8", "plain", "b")]
    assert '"a 5"" nail"' in written(table)
    assert rows(written([("id", "title", "kind"), *table])) == table


@pytest.mark.parametrize(
    "titles",
    [
        ['5" nail', 'a 3" one', "no"],
        ['"Weird Al" Yankovic', "no", "no"],
        ['"Heroes"', "no", "no"],
        ['"Heroes" is said', '"a ""b"', "no"],
        ['"', '""', 'a"b'],
    ],
)
def test_quotes_that_are_characters(rows, titles):
    text = "id\ttitle\n" + "".join(f"{k}\t{title}\n" for k, title in enumerate(titles))
    assert rows(text) == [(str(k), title) for k, title in enumerate(titles)]


def test_a_column_in_quotes_below_a_plain_header(rows):
    text = 'id\ttitle\n"a"\tHeat\n"b"\tRan\n"c"\tBig\n'
    assert rows(text) == [("a", "Heat"), ("b", "Ran"), ("c", "Big")]


def test_tables_of_r(rows):
    """write.table: row names without a name, quotes behind backslashes, NA without quotes."""
    text = '"id"\t"title"\n"1"\t7\t"a 5\\" nail"\n"2"\t8\tNA\n"3"\t9\t"two\nlines"\n'
    assert rows(text) == [("1", "7", 'a 5" nail'), ("2", "8", "NA"), ("3", "9", "two\nlines")]
    assert rows(text.replace("\t", ","), "t.csv") == rows(text)
    assert rows("id\ttitle\n1\t7\tHeat\n2\t8\tRan\n") == [("1", "7", "Heat"), ("2", "8", "Ran")]


def test_places_are_lines_of_the_file(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('id\ttitle\n7\t"two\nlines"\n8\tx\n')
    source = Source.table(path, "file")
    assert source.places([0, 1]) == ["line 2", "line 4"]
    path.write_text('id\ttitle\n7\t5" nail\n8\tx\n')
    assert source.places([0, 1]) == ["line 2", "line 3"]


def test_lines_that_are_too_short_are_named(rows):
    with pytest.raises(DataError, match=r"line 3: 1 column, .*\n.*2 columns"):
        rows('id\ttitle\n7\t5" nail\n8\n')
    with pytest.raises(DataError, match=r"line 4: 1 column"):
        rows('"id"\t"title"\n7\t"a\nb"\n8\n')


def test_names_without_spaces_and_columns_without_a_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a , b,,\n1,2,,\n")
    assert read_table(path, option="file").columns == ["a", "b", "", "column 4"]
    path.write_text("a, a\n1,2\n")
    with pytest.raises(DataError, match="'a' is twice"):
        read_table(path, option="file")


def test_a_table_of_one_column_of_names(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('name\n"Dota 2"\nSpore\n"Ori, and the Forest"\n')
    table = read_table(path, option="file")
    assert table.equals(pl.DataFrame({"name": ["Dota 2", "Spore", "Ori, and the Forest"]}))
    path.write_text("name\n7\n8\n")
    with pytest.raises(DataError, match="is one column"):
        read_table(path, option="file")
