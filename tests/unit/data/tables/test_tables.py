import gzip
import random
import re

import polars as pl
import pytest

from lit_rec.data.tables.headers import rename_columns
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables, read_table
from lit_rec.errors import DataError

ROWS = [("u1", "a, b"), ("u2", 'say "x"')]


def write(path, content):
    if isinstance(content, str):
        content = content.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def fails(path, *seen, **options):
    with pytest.raises(DataError) as caught:
        read_table(path, option="data.file", **options)
    assert f"data.file={path}" in str(caught.value)
    for text in seen:
        assert text in str(caught.value)
    return caught.value


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize(
    ("ending", "content"),
    [
        (".csv", 'user_id,title\nu1,"a, b"\nu2,"say ""x"""\n'),
        (".csv", '\ufeffuser_id,title\r\nu1,"a, b"\r\nu2,"say ""x"""\r\n\r\n'),
        (".tsv", 'user_id\ttitle\nu1\ta, b\nu2\tsay "x"\n'),
        (".jsonl", '{"user_id":"u1","title":"a, b"}\n\n{"user_id":"u2","title":"say \\"x\\""}'),
        (
            ".ndjson",
            '\ufeff{"user_id":"u1","title":"a, b"}\r\n{"user_id":"u2","title":"say \\"x\\""}',
        ),
    ],
)
def test_text_files(tmp_path, ending, packed, content):
    frame = read_table(write(tmp_path / f"t{ending}{packed}", content), option="o")
    assert frame.columns == ["user_id", "title"]
    assert frame.rows() == ROWS


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_parquet(tmp_path, packed):
    plain = tmp_path / "t.parquet"
    expected = pl.DataFrame({"user_id": [1, 2], "tags": [["x"], []]})
    expected.write_parquet(plain)
    path = write(tmp_path / f"u.parquet{packed}", plain.read_bytes())
    assert read_table(path, option="o").equals(expected)


def test_delimiter_of_any_ending(tmp_path):
    path = write(tmp_path / "t.inter", "a|b\n1|2\n")
    assert read_table(path, option="o", delimiter="|").rows() == [("1", "2")]
    fails(path, "'.inter'")


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("t.csv", "a\tb\n1\t2\n", ["line 1", r"'a\tb' is one column"]),
        ("t.csv", "a,b\n1,caf\xe9".encode("latin-1"), ["line 2", "byte 0xe9"]),
        ("t.tsv", 'a\tb\n1\t"2\n3\t4\t5\n', ["line 3", "3 columns"]),
        ("t.csv", "a,b\n1,2\n3\n", ["line 3", "1 column, '3'"]),
        ("t.csv", "a,b\n", ["no rows, only the columns a, b"]),
        ("t.csv", "", ["the file is empty"]),
        ("t.jsonl", "\n", ["no rows"]),
        ("t.jsonl", '{"a":1}\n{"a":\n', ["line 2", "is not JSON"]),
        ("t.parquet", b"PAR1 and then nothing", ["21 bytes are not Parquet"]),
        ("t.txt", "a,b\n", ["'.txt'"]),
    ],
)
def test_what_cannot_be_read(tmp_path, name, content, seen):
    fails(write(tmp_path / name, content), *seen)


def test_absent_file(tmp_path):
    write(tmp_path / "ratings.csv", "a,b\n1,2\n")
    fails(tmp_path / "rating.csv", "no file 'rating.csv'", "ratings.csv")


def test_place_of_a_behavior(tmp_path):
    path = write(tmp_path / "a.csv", 'x,y\n1,"\n"\n2,\n')
    first, second = Source.table(path, "o"), Source.table(tmp_path / "b.parquet", "p")
    frame = pl.DataFrame({"x": [1]})
    tables = Tables(frame, frame, sources=((first, 2), (second, 3)))
    assert tables.place(1) == f"o={path}, line 4"
    assert tables.place(4) == f"p={tmp_path}/b.parquet, row 3"
    assert Tables(frame, frame).place(4) == "row 5 of the behaviors"


def rename(frame, mapping, required=("user_id",)):
    return rename_columns(frame, mapping, required, option="data.columns", where="t.csv")


def test_rename():
    frame = pl.DataFrame({"u": ["1"], "rating": ["old"], "stars": ["5"]})
    renamed = rename(frame, {"user_id": "u", "rating": "stars"})
    assert renamed.to_dicts() == [{"user_id": "1", "rating": "5"}]
    swapped = rename(frame, {"user_id": "u", "rating": "stars", "stars": "rating"})
    assert swapped.to_dicts() == [{"user_id": "1", "rating": "5", "stars": "old"}]


def test_rename_errors():
    frame = pl.DataFrame({"userId": ["1"], "x": ["2"]})
    for mapping, seen in (
        ({}, "no column 'user_id'; the file has userId, x"),
        ({"user_id": "userid"}, "no column 'userid'"),
        ({"user_id": "x", "rating": "x"}, "column 'x' is mapped to ['rating', 'user_id']"),
    ):
        with pytest.raises(DataError, match=re.escape(seen)):
            rename(frame, mapping)
    with pytest.raises(DataError, match=r"did you mean 'userId'\?"):
        rename(frame, {"user_id": "userid"})


def test_no_damage_to_parquet_is_a_panic(tmp_path, capfd):
    """Bytes turned over, left out and put in, all in the same places in each run."""
    frame = pl.DataFrame({"user_id": ["a", "b"] * 30, "n": range(60), "l": [[1], None] * 30})
    frame.write_parquet(tmp_path / "whole.parquet", row_group_size=20)
    whole = (tmp_path / "whole.parquet").read_bytes()
    chance, refused = random.Random(0), 0
    for _ in range(150):
        place = chance.randrange(len(whole))
        middle = chance.choice([b"", b"\xff", chance.randbytes(9)])
        content = whole[:place] + middle + whole[place + chance.choice([0, 1, 30]) :]
        try:
            read_table(write(tmp_path / "t.parquet", content), option="data.file")
        except DataError as error:
            refused += "t.parquet" in str(error) and len(str(error).splitlines()) <= 8
    assert refused > 100
    assert capfd.readouterr().err == ""


def test_very_many_columns(tmp_path):
    """A look at all pairs of names would take minutes."""
    names = [f"c{number}" for number in range(30_000)]
    path = write(tmp_path / "t.csv", f"{','.join(names)}\n{','.join('1' * len(names))}".encode())
    frame = read_table(path, option="data.file")
    assert frame.shape == (1, 30_000)
    with pytest.raises(DataError, match=r"c0, c1, .*c11, \.\.\.\.") as caught:
        rename_columns(frame, {"user_id": "c77x"}, (), option="o", where="t")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("kind", [pl.Date, pl.Datetime("ms"), pl.List(pl.Date)])
def test_dates_that_no_calendar_has(tmp_path, kind):
    far = pl.Series("when", [0, 2_000_000_000]).cast(pl.Int32)
    if kind == pl.Datetime("ms"):
        far = far.cast(pl.Int64) * 86_400_000
    if kind == pl.List(pl.Date):
        far = far.reshape((2, 1)).arr.to_list()
    pl.DataFrame([far.cast(kind)]).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="'when' holds a date 2000000000 days from 1970, outside"):
        read_table(tmp_path / "t.parquet", option="data.file")
