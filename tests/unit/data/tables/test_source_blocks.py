import gzip

import polars as pl
import pytest

from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError

TEXT = b"".join(b"%d,%s\n" % (i, b"x" * (i % 7)) for i in range(200))


@pytest.mark.parametrize("size", [1, 3, 10, 64, 10_000])
@pytest.mark.parametrize("end", [b"", b"last"])
def test_blocks_end_with_a_line(tmp_path, size, end):
    for name, content in (("t.csv", TEXT + end), ("t.csv.gz", gzip.compress(TEXT + end))):
        (tmp_path / name).write_bytes(content)
        blocks = list(Source(tmp_path / name, name).blocks(size))
        assert b"".join(blocks) == TEXT + end
        assert all(block.endswith(b"\n") for block in blocks[:-1])
        assert all(blocks)


def test_blocks_without_the_byte_order_mark(tmp_path):
    (tmp_path / "t.json").write_bytes(b"\xef\xbb\xbf{}\n{}")
    assert b"".join(Source(tmp_path / "t.json", "t").blocks(2)) == b"{}\n{}"
    (tmp_path / "t.json").write_bytes(b"")
    assert list(Source(tmp_path / "t.json", "t").blocks()) == []


def test_blocks_of_damaged_files(tmp_path):
    path = tmp_path / "t.json.gz"
    path.write_bytes(gzip.compress(TEXT)[:-20])
    with pytest.raises(DataError, match="bytes cannot be read whole"):
        list(Source(path, "t").blocks(8))
    with pytest.raises(DataError, match="no file"):
        list(Source(tmp_path / "no.json", "t").blocks())


def test_places_of_some_rows(tmp_path):
    keep = pl.Series([True, False, True])
    plain = Source(tmp_path / "t.tsv", "t", "\t", quotes=False)
    assert plain.of_rows(keep).places([0, 1]) == ["line 2", "line 4"]
    assert plain.of_rows(pl.Series([True, True])) is plain
    (tmp_path / "t.csv").write_text('a,b\n1,"x\ny"\n2,z\n3,w\n')
    quoted = Source(tmp_path / "t.csv", "t", ",").of_rows(keep)
    assert quoted.places([0, 1]) == ["line 2", "line 5"]
    assert quoted.of_rows(pl.Series([False, True])).places([0]) == ["line 5"]
    parquet = Source(tmp_path / "t.parquet", "t").of_rows(keep)
    assert parquet.places([0, 1]) == ["row 1", "row 3"]
