"""Options of TableReader that say how cells, rows and headers are read; each error's remedy is followed."""

import pytest

from lit_rec.data.readers.plain import TableReader
from lit_rec.data.tables.cleaning import clean
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import DataError

ITEMS = "item_id,title,price\na,A film,1\nb,B film,2\nc,C film,3\n"


@pytest.fixture
def read(tmp_path):
    """Write two tables and read them."""

    def tables(behaviors, items=ITEMS, ending="csv", **options):
        (tmp_path / f"b.{ending}").write_text(behaviors)
        (tmp_path / f"i.{ending}").write_text(items)
        files = (f"{tmp_path}/b.{ending}", f"{tmp_path}/i.{ending}")
        return TableReader(*files, **options).read()

    return tables


def test_missing_values_are_none_of_a_row(read):
    found = read(
        "user_id,item_id,rating,label\nNA,a,NaN,yes\nu,b,\\N,N/A\nu,c,4,no\n",
        "item_id,title,price\na,NULL,-\nb,Heat,nan\nc,-,3\n",
    )
    assert found.behaviors["user_id"].to_list() == ["NA", "u", "u"]
    assert found.behaviors["rating"].to_list() == [None, None, 4.0]
    assert found.behaviors["label"].to_list() == ["yes", None, "no"]
    assert found.items["title"].to_list() == [None, "Heat", None]
    assert found.items["price"].to_list() == [None, None, "3"]


def test_further_missing_values_of_a_column(read):
    rows = "user_id,item_id,rating\nu,a,-1\nu,b,0\nu,c,4\n"
    found = read(rows, missing_values={"rating": [-1, 0]})
    assert found.behaviors["rating"].to_list() == [None, None, 4.0]


def test_nan_and_infinity_of_json(read):
    items = '{"item_id": "a", "price": NaN}\n{"item_id": "b", "price": 2.5}\n{"item_id": "c"}\n'
    row = '{"user_id": "u", "item_id": "a", "rating": %s}\n'
    found = read(row % "NaN" + row % "4", items, "json")
    assert found.behaviors["rating"].to_list() == [None, 4.0]
    assert found.items["price"].to_list() == [None, "2.5", None]
    with pytest.raises(DataError, match=r"rating is not a finite number: line 1 \('Infinity'\)"):
        read(row % "Infinity", items, "json")


def test_decimal_commas_are_an_option_that_the_error_names(read):
    rows = 'user_id,item_id,rating\nu,a,"3,5"\nu,b,4\n'
    items = 'item_id,title,price\na,A,"1.299,50"\nb,"B, or b",3\n'
    with pytest.raises(DataError, match=r"line 2 \('3,5'\)") as caught:
        read(rows, items)
    assert "set TableReader.decimal to ','" in str(caught.value)
    found = read(rows, items, decimal=",")
    assert found.behaviors["rating"].to_list() == [3.5, 4.0]
    assert found.items["price"].to_list() == ["1299.50", "3"]
    assert found.items["title"].to_list() == ["A", "B, or b"]


BAD = (
    "user_id,item_id,rating,timestamp\n"
    "u,a,5,1\n,b,4,2\nv,b,good,3\nv,c,3,soon\nu,b,3,4\nu,c,1,5\nv,a,2,6\nw,a,2,7\n"
)


def test_invalid_rows_are_left_out_where_the_user_says_so(read):
    with pytest.raises(DataError, match=r"3 problems(.*\n)+.*TableReader.invalid_rows to drop"):
        read(BAD)
    found = read(BAD, invalid_rows="drop")
    assert found.behaviors["timestamp"].to_list() == [1, 4, 5, 6, 7]
    assert found.behaviors["row"].to_list() == [0, 1, 2, 3, 4]
    assert [(s.rule, s.dropped, s.of, s.example) for s in found.dropped] == [
        ("user_id is empty", 1, 8, "b.csv, line 3 (nothing)"),
        ("rating is not a finite number", 1, 8, "b.csv, line 4 ('good')"),
        ("timestamp is neither seconds nor an ISO date", 1, 8, "b.csv, line 5 ('soon')"),
    ]
    # later errors name the lines of the file
    assert found.place(1).endswith("b.csv, line 6")


def test_invalid_rows_of_items(read):
    items = "item_id,title\na,A\n,none\nb,B\na,again\nc,C\n"
    with pytest.raises(DataError, match=r"items=.*(\n.*)+invalid_rows to drop"):
        read(BAD.replace("soon", "9").replace("good", "1").replace("\n,b", "\nu,b"), items)
    found = read(BAD, items, invalid_rows="drop")
    assert found.items["title"].to_list() == ["A", "B", "C"]
    assert [(s.rule, s.dropped, s.of_what) for s in found.dropped[-2:]] == [
        ("item_id is empty", 1, "items"),
        ("item_id is repeated", 1, "items"),
    ]


def test_a_table_without_a_header(read):
    rows, items = "u1,a,5\nu2,b,4\nu1,c,3\n", "a,A film,1\nb,B film,2\nc,C film,3\n"
    names = {"behavior_names": ["user_id", "item_id", "rating"]}
    with pytest.raises(DataError, match=r"i.csv, line 1: .*\n.*\n.*TableReader.item_names"):
        read(rows, items, **names)
    found = read(rows, items, item_names=["item_id", "title", "price"], **names)
    assert found.items.rows()[0] == ("a", "A film", "1")
    assert found.place(0).endswith("line 1")


def test_spaces_around_ids(read):
    rows, items = "user_id,item_id\nu , a\nu,b\n", "item_id,title\na ,A\nb,B\n"
    assert read(rows, items).behaviors["item_id"].to_list() == [" a", "b"]
    found = read(rows, items, strip_ids=True)
    clean(found)
    assert found.behaviors.select("user_id", "item_id").rows() == [("u", "a"), ("u", "b")]
    assert found.items["item_id"].to_list() == ["a", "b"]


def test_html_of_items(read):
    items = "item_id,title,link\na,<b>Big</b> &amp; red,x?a=1&b=2\nb,<br>,\n"
    found = read("user_id,item_id\nu,a\n", items).items
    assert found.rows() == [("a", "Big & red", "x?a=1&b=2"), ("b", None, None)]
    found = read("user_id,item_id\nu,a\n", items, clean_html=False).items
    assert found["title"].to_list() == ["<b>Big</b> &amp; red", "<br>"]


def test_half_an_emoji_in_json(read):
    row = '{"user_id": "u", "item_id": "a"}\n'
    found = read(row, '{"item_id": "a", "title": "A \\ud83d"}\n', "json")
    assert found.items["title"].to_list() == ["A \ufffd"]
    assert "U+FFFD" in found.dropped[0].rule


LINES = (
    'user_id,item_id,rating\nu,a,5\nu,b\nu,b,3,1\nv,"a,2\nv,"b" x,1\nv,c,1\nw,a,2\nw,b,4\n'
    'w,c,"5"\n\nx,a,bad\n'
)


def test_lines_that_cannot_be_read(read):
    with pytest.raises(DataError, match=r"line 3: 2 columns(.*\n)+.*or set TableReader.inv"):
        read(LINES)
    found = read(LINES, invalid_rows="drop")
    assert found.behaviors["rating"].to_list() == [5, 1, 2, 4, 5]
    lines, rating = found.dropped
    assert (lines.rule, lines.dropped, lines.of, lines.of_what) == (
        *("the line cannot be read", 5, 11),
        "lines",
    )
    assert lines.example.startswith("b.csv, line 3 ('u,b'), line 4 ('u,b,3,1'), line 5 (")
    assert rating.example == "b.csv, line 12 ('bad')"
    assert [found.place(row).split(", ")[1] for row in range(5)] == [
        f"line {n}" for n in (2, 7, 8, 9, 10)
    ]


def test_lines_of_json_that_cannot_be_read(read):
    items = '{"item_id": "a"}\n'
    rows = '{"user_id": 1, "item_id": "a"}\n'
    bad = rows + "{oh\n\n" + '{"user_id": 1, "user_id": 2}\n' + 2 * rows + "[1]\n" + rows
    with pytest.raises(
        DataError, match=r"line 2: (.*\n)+.*or set TableReader.invalid_rows to drop"
    ):
        read(bad, items, "jsonl")
    found = read(bad, items, "jsonl", invalid_rows="drop")
    assert len(found.behaviors) == 4
    assert found.dropped[0].example == (
        "b.jsonl, line 2 ('{oh'), line 4 ('{\"user_id\": 1, \"user_id\": 2}'), line 7 ('[1]')"
    )
    assert found.place(3).endswith("line 8")
    with pytest.raises(DataError, match=r"2 of 3 lines cannot be read: line 2 \('x'\)"):
        read(rows + "x\ny\n", items, "jsonl", invalid_rows="drop")


def test_lines_that_are_python_literals(read):
    items = "{'item_id': 'a', 'title': u'It\\'s', 'price': 1.50, 'tags': ['x', None], 'ok': True}\n"
    found = read('{"user_id": 1, "item_id": "a"}\n', items, "json")
    assert found.items.rows() == [("a", "It's", "1.5", ["x", None], "true")]


def test_columns_of_json_that_mix_kinds(read):
    items = (
        '{"item_id": "a", "title": "A", "extra": 1, "tags": ["x"]}\n{"item_id": "b", "title": "B", "extra": [2]}\n'
        '{"item_id": "c", "title": "C", "extra": {"k": 1.50}, "tags": [["x", 1]]}\n'
    )
    found = read('{"user_id": 1, "item_id": "a"}\n', items, "json")
    assert found.items["title"].to_list() == ["A", "B", "C"]
    texts = found.items["extra"].struct.field("json").to_list()
    assert texts == ["1", "[2]", '{"k": 1.5}']
    with pytest.raises(DataError, match="column 'extra' holds objects"):
        TextTemplate(["extra"]).render(found.items)
    rows = '{"user_id": 1, "item_id": "a", "rating": 1}\n{"user_id": 1, "item_id": "a", "rating": [2]}\n'
    with pytest.raises(DataError, match=r"line 2: column 'rating' holds a list, '\[2\]'"):
        read(rows, items, "json")


def test_bytes_of_another_encoding_in_a_column_that_nobody_needs(tmp_path):
    rows = "user_id,item_id,rating,shop\nu,a,5,Caf\xe9\nu,b,4,x\n".encode("latin-1")
    (tmp_path / "b.csv").write_bytes(rows)
    (tmp_path / "i.csv").write_text(ITEMS)
    reader = TableReader(f"{tmp_path}/b.csv", f"{tmp_path}/i.csv")
    found = reader.read()
    assert found.behaviors["rating"].to_list() == [5, 4]
    assert (found.dropped[0].dropped, found.dropped[0].example) == (1, "column 'shop'")
    (tmp_path / "b.csv").write_bytes(rows.replace(b"u,b", b"u\xe9,b"))
    with pytest.raises(DataError, match=r"line 3: byte 0xe9 is not UTF-8"):
        reader.read()
    (tmp_path / "b.csv").write_bytes(rows)
    (tmp_path / "i.csv").write_bytes(ITEMS.replace("A film", "\xe9").encode("latin-1"))
    with pytest.raises(DataError, match=r"i.csv, line 2: byte 0xe9"):
        reader.read().check_decoded("items", ["title"])
