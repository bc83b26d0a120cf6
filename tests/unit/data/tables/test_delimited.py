import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.data.tables.delimited import parse_delimited
from lit_rec.errors import DataError

cells = st.text(st.sampled_from('ab",;\n \u00e9'), max_size=5)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=6))
def test_what_csv_wrote_is_read(rows):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([("x", "y", "z"), *rows])
    found = parse_delimited(file.getvalue(), ",", "t.csv").rows()
    assert [tuple(cell or "" for cell in row) for row in found] == rows


@settings(max_examples=100, deadline=None)
@given(
    widths=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    delimiter=st.sampled_from([",", "\t", ";"]),
)
def test_the_first_ragged_line_is_named(widths, delimiter):
    lines = [delimiter.join("abc"), *(delimiter.join("9" * width) for width in widths)]
    wrong = [line for line, width in enumerate(widths, 2) if width != 3]
    text = "\n".join(lines)
    if not wrong:
        assert len(parse_delimited(text, delimiter, "t")) == len(widths)
        return
    with pytest.raises(DataError, match=rf"t, line {wrong[0]}: {widths[wrong[0] - 2]} column"):
        parse_delimited(text, delimiter, "t", quotes=delimiter != "\t")


def test_lone_quotes_are_characters():
    text = 'a,b\n1,5" disk\n2,7" tape\n3,\n'
    assert parse_delimited(text, ",", "t").rows() == [
        ("1", '5" disk'),
        ("2", '7" tape'),
        ("3", None),
    ]


def test_a_single_column_of_names():
    assert parse_delimited("film title\nStar Wars\n", ",", "t").rows() == [("Star Wars",)]


def test_without_a_header():
    frame = parse_delimited('1|"x\n2|\n', "|", "t", quotes=False, names=["n", "m"])
    assert frame.to_dict(as_series=False) == {"n": ["1", "2"], "m": ['"x', None]}
    with pytest.raises(DataError, match=r"line 2: 3 columns, '2\|y\|z'"):
        parse_delimited("1|x\n2|y|z", "|", "t", quotes=False, names=["n", "m"])


@pytest.mark.parametrize(
    ("text", "delimiter", "seen"),
    [
        ("a\tb\n1\t2", ",", [r"line 1: the header 'a\tb' is one column", r"line 1"]),
        ("a;b\n1;2", "\t", ["'a;b' is one column", "columns separated by '\\t'"]),
        ("a\n1", ",", ["'a' is one column", "line 1"]),
        ("", ",", ["line 1: the file is empty"]),
        ("a,b,a\n1,2,3", ",", ["line 1", "'a' is twice"]),
        ("a,b\n1,2\n3,4,5", ",", ["line 3", "3 columns, '3,4,5'", "in quotes"]),
        ('a,b\n1,"x\ny"\n3', ",", ["line 4", "1 column, '3'"]),
        ("a,b\n1,2\n\n3,4", ",", ["line 3", "the line is empty"]),
        ("a,b\r\n1,2\r\n\r\n3,4", ",", ["line 3", "the line is empty"]),
        ('a,b\n1,2\n3,"4\n5,6', ",", ["line 3", "'3,\"4'", "do not end"]),
        ('a,b\n1,"x" y\n2,z', ",", ["line 2", "'1,\"x\" y'", "do not end"]),
    ],
)
def test_damage_is_named_with_its_line(text, delimiter, seen):
    with pytest.raises(DataError) as caught:
        parse_delimited(text, delimiter, "data.file=t.csv")
    for part in ("data.file=t.csv", *seen):
        assert part in str(caught.value)
