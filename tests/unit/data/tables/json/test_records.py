import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from lit_rec.data.tables.json.records import read_json_records
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError

SCHEMA = {"id": pl.String, "n": pl.String, "tags": pl.List(pl.String)}


def source_of(folder: Path, content, name="t.jsonl"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source(path, f"data.file={path}")


GOOD = [
    '{"id": "a", "n": 1.5, "tags": ["x", "y"], "more": {"k": 1}}',
    '{"id": "b"}',
    '{"n": "2", "id": "c", "tags": []}',
]
ROWS = [("a", "1.5", ["x", "y"]), ("b", None, None), ("c", "2", [])]


def test_wanted_keys_by_hand(tmp_path):
    frame, source, (step,) = read_json_records(source_of(tmp_path, "\n".join(GOOD)), SCHEMA)
    assert frame.rows() == ROWS
    assert source.places([0, 2]) == ["line 1", "line 3"]
    assert step.dropped == 0


@pytest.mark.parametrize(
    "odd", ["", "  ", '{"id": "q", "tags": "one"}', "{'id': 'q', 'tags': ['one']}"]
)
def test_the_slow_way_gives_the_same_rows(tmp_path, odd):
    lines = [GOOD[0], odd, *GOOD[1:]]
    frame, source, (step,) = read_json_records(
        source_of(tmp_path, "\r\n".join(lines) + "\r\n"), SCHEMA
    )
    middle = [("q", None, ["one"])] if odd.strip() else []
    assert frame.rows() == [ROWS[0], *middle, *ROWS[1:]]
    assert source.places([len(frame) - 1]) == ["line 4"]
    assert step.dropped == 0


def test_lines_broken_one_in_ten(tmp_path):
    lines = [json.dumps({"id": str(i), "n": i}) for i in range(100)]
    for i in range(4, 100, 10):
        lines[i] = lines[i][:-3]
    source = source_of(tmp_path, gzip.compress("\n".join(lines).encode()), "t.json.gz")
    with pytest.raises(DataError) as caught:
        read_json_records(source, SCHEMA)
    assert "10 of 100 lines are not JSON objects" in str(caught.value)
    assert 'line 5: \'{"id": "4", "n"' in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 8
    frame, source, (step,) = read_json_records(source, SCHEMA, broken_lines="drop")
    assert (len(frame), step.dropped, step.of, step.of_what) == (90, 10, 100, "lines")
    assert step.example.startswith("line 5: ")
    assert source.places([3, 4]) == ["line 4", "line 6"]


@pytest.mark.parametrize(
    "line",
    [
        "[1]",
        "7",
        "null",
        '{"id": "a"} x',
        "__import__('os')",
        "(" * 500,
        b'{"id": "\xff"}',
        b'{"id": "\xff", "more": "\\u2019"}',
        "{'id': '\\d'",
    ],
)
def test_what_is_not_an_object(tmp_path, line):
    line = line if isinstance(line, bytes) else line.encode()
    source = source_of(tmp_path, GOOD[0].encode() + b"\n" + line)
    frame, _, (step,) = read_json_records(source, SCHEMA, broken_lines="drop")
    assert (len(frame), step.dropped) == (1, 1)


def test_odd_values_of_objects(tmp_path):
    lines = [
        '{"id": "\\ud83d", "n": NaN}',
        '{"id": true, "n": {"a": 1}, "tags": ["x", null, 3]}',
        '{"id": "\ufffd"}',
    ]
    frame, _, (_, note) = read_json_records(source_of(tmp_path, "\n".join(lines)), SCHEMA)
    assert frame.rows() == [
        ("\ufffd", None, None),
        ("true", '{"a": 1}', ["x", None, "3"]),
        ("\ufffd", None, None),
    ]
    assert (note.dropped, note.of, note.example, note.done) == (1, 3, "line 1", "changed")
    with pytest.raises(DataError, match=r"line 1: 'id' holds '\\ud83d', with half of a surr"):
        read_json_records(source_of(tmp_path, "\n".join(lines)), SCHEMA, ids=["id"])


@pytest.mark.parametrize(
    "spoil", ["", '{"id": "q", "tags": "one"}']
)  # the whole block is read by hand
def test_values_are_the_text_of_the_file(tmp_path, spoil):
    tokens = [
        "9007199254740993",
        "1.0",
        "1",
        "1.50",
        "-0",
        "1e400",
        "1E5",
        "0.0",
        "7" * 5000,
        "true",
    ]
    tokens += ["12345678901234567890123", "0.1000000000000000055511151231257827"]
    lines = [
        f'{{"id": "{i}", "n": {token}, "tags": [{token}, "x"]}}' for i, token in enumerate(tokens)
    ]
    lines.append('{"id": "e", "n": "\\ud83c\\udf2e", "tags": ["a\\u0000b"]}')
    frame, _, _ = read_json_records(source_of(tmp_path, "\n".join([*lines, spoil])), SCHEMA)
    assert frame["n"].to_list()[: len(lines)] == [*tokens, "\U0001f32e"]
    assert frame["tags"].to_list()[: len(lines)] == [*([t, "x"] for t in tokens), ["a\0b"]]


def test_keys_that_stand_twice(tmp_path):
    lines = [*GOOD, '{"id": "x", "n": 1, "n": null}', '{"id": "x", "i\\u0064": "y"}']
    lines.append('{"id": "z", "more": 1, "more": {"k": 1, "k": 2}, "n": "id"}')
    source = source_of(tmp_path, "\n".join(lines))
    with pytest.raises(DataError, match=r"line 4: .* has the key 'n' twice") as caught:
        read_json_records(source, SCHEMA)
    assert "has the key 'id' twice" in str(caught.value)
    frame, _, (step,) = read_json_records(source, SCHEMA, broken_lines="drop")
    assert frame["id"].to_list() == ["a", "b", "c", "z"]
    assert step.dropped == 2


def test_numbers_may_be_written_in_another_way(tmp_path):
    source = source_of(tmp_path, '{"id": "a", "n": 1.50}\n{"id": "b", "n": 9e1}\n')
    frame, _, _ = read_json_records(source, SCHEMA, numbers=["n"])
    assert frame["n"].cast(pl.Float64).to_list() == [1.5, 90.0]


def test_other_files(tmp_path):
    with pytest.raises(
        DataError,
        match=r"no object has the key 'id'; the first has ID, text(.|\n)*keys id, n, tags",
    ):
        read_json_records(source_of(tmp_path, '{"ID": 1, "text": 2}\n'), SCHEMA)
    with pytest.raises(DataError, match="the file holds no object"):
        read_json_records(source_of(tmp_path, "\n\n"), SCHEMA)
    with pytest.raises(DataError, match="the file holds no object"):
        read_json_records(source_of(tmp_path, ""), SCHEMA)
    with pytest.raises(DataError, match="2 of 2 lines are not JSON"):
        read_json_records(source_of(tmp_path, "id,n\n1,2\n"), SCHEMA, broken_lines="drop")


def test_blocks_join_into_the_whole_table(tmp_path, monkeypatch):
    whole = Source.blocks
    monkeypatch.setattr(Source, "blocks", lambda self, size=50: whole(self, size))
    frame, lined, _ = read_json_records(source_of(tmp_path, "\n".join(GOOD * 20)), SCHEMA)
    assert frame.rows() == ROWS * 20
    assert lined.places([59]) == ["line 60"]
