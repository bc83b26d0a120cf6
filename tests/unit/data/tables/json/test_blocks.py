import polars as pl
import pytest

from lit_rec.data.tables.json.blocks import Block, blocks_of
from lit_rec.data.tables.source import Source


@pytest.mark.parametrize("size", [1, 4, 9, 1000])
@pytest.mark.parametrize(
    "content",
    [b"", b"a", b"a\n", b"\n\nbb\n\n", b"a\r\nb\r\n\r\n", b"\xef\xbb\xbfa\nccccccccccc\nb"],
)
def test_lines_are_numbered_through_all_blocks(tmp_path, monkeypatch, content, size):
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    whole = Source.blocks
    monkeypatch.setattr(Source, "blocks", lambda self: whole(self, size))
    blocks = [*blocks_of(Source(path, "t"))]
    found = [pair for block in blocks for pair in block.numbered()]
    lines = content.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n")
    assert found == [*enumerate(lines if content else [], 1)]
    assert sum(block.count for block in blocks) == len(found)
    assert [b.decode() for block in blocks for b in block.lines] == [
        text for block in blocks for text in block.texts
    ]


def test_lone_carriage_returns_are_line_ends_where_there_are_no_others(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"a\r\rb\r")
    (block,) = blocks_of(Source(path, "t"))
    assert block.lines == [b"a", b"", b"b"]


def test_bytes_that_are_no_text(tmp_path):
    with pytest.raises(pl.exceptions.PolarsError):
        _ = Block(b"a\n\xff\n", 1).texts
