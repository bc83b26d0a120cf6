import gzip
from pathlib import Path

import pytest

from lit_rec.data.tables.delimited import record_lines
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError


def source_of(path, content=None, **options):
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source.table(path, "data.file", **options)


def fails(call):
    with pytest.raises(DataError) as caught:
        call()
    assert "data.file=" in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 8
    return str(caught.value)


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-9], lambda b: b"x" + b, lambda b: b[:12] + b"?" * 9, lambda b: b[:3]]
)
def test_damaged_gzip(tmp_path, spoil):
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 500, mtime=0)
    source = source_of(tmp_path / "t.csv.gz", spoil(packed))
    seen = fails(source.content)
    assert f"{source.path.stat().st_size} bytes cannot be read whole" in seen
    assert "gzip" in seen


@pytest.mark.parametrize(
    ("content", "line", "byte", "origin"),
    [
        ("a,b\n1,caf\xe9".encode("latin-1"), 2, "0xe9", "latin1"),
        ("\ufeffa,b\n1,".encode() + b"\xff2", 2, "0xff", "latin1"),
        ("a,b\n1,2".encode("utf-16"), 1, "0xff", "utf-16"),
    ],
)
def test_other_encodings(tmp_path, content, line, byte, origin):
    seen = fails(source_of(tmp_path / "t.csv", content).text)
    assert f"line {line}: byte {byte} is not UTF-8" in seen
    assert f"iconv -f {origin} -t utf-8" in seen


def test_lone_carriage_returns_end_lines(tmp_path):
    assert source_of(tmp_path / "t.csv", "a,b\r1,2\r").text() == "a,b\n1,2\n"
    assert source_of(tmp_path / "t.csv", "a,b\r\n1,2\r\n").text() == "a,b\r\n1,2\r\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("t.csv", 'a,b\n1,"x\ny"\n2,z\n3,5" disk\n4,w\n', ["line 2", "line 4", "line 5", "line 6"]),
        ("t.csv.gz", gzip.compress(b'"a\n",b\n1,2\n3,4\n', mtime=0), ["line 3", "line 4"]),
        ("t.tsv", 'a\tb\n1\t"\n2\t"\n', ["line 2", "line 3"]),
        ("t.jsonl", '\n{"a": 1}\n\n{"a": 2}\n', ["line 2", "line 4"]),
        ("t.parquet", b"", ["row 1", "row 2"]),
    ],
)
def test_places_are_lines_of_the_file(tmp_path, name, content, expected):
    source = source_of(tmp_path / name, content)
    assert source.places(range(len(expected))) == expected


def test_places_without_a_header():
    source = Source(Path("u.data"), "u.data", "\t", quotes=False, has_header=False)
    assert source.places([0, 9]) == ["line 1", "line 10"]


def test_record_lines_beside_a_cell_of_any_length():
    text = f'a,b\n1,"x\n{"y" * 200_000}"\n2,z\n'
    assert record_lines(text, ",")[:3] == [1, 2, 4]
