import polars as pl
import pytest

from lit_rec.data.tables.json.lines import read_json_lines
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError


@pytest.fixture
def read(tmp_path):
    def read(content, **options):
        path = tmp_path / "t.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_json_lines(Source.table(path, "data.file"), **options)

    return read


def test_objects_become_rows(read):
    text = '{"a": 1, "t": ["x"]}\r\n\n{"a": 2.5}\n{"t": [], "b": "\u2028"}'
    assert read(text).to_dicts() == [
        {"a": "1", "t": ["x"], "b": None},
        {"a": "2.5", "t": None, "b": None},
        {"a": None, "t": [], "b": "\u2028"},
    ]
    assert read("\n \n").is_empty()
    assert read(b"\xef\xbb\xbf" + text.replace("\n", "\r").encode()).rows() == read(text).rows()


TOKENS = {
    "9007199254740993": "9007199254740993",
    "1.0": "1.0",
    "1": "1",
    "-0": "-0",
    "1e400": "1e400",
    "1E5": "1E5",
    "7" * 5000: "7" * 5000,
    "0.1000000000000000055511151231257827": "0.1000000000000000055511151231257827",
    "true": "true",
    "null": None,
    "NaN": None,
    "-Infinity": "-Infinity",
    '"1.0"': "1.0",
    '"a\\u0000b"': "a\0b",
    '"\\ud83c\\udf2e"': "\U0001f32e",
}


def test_values_are_the_text_of_the_file(read):
    frame = read("\n".join(f'{{"id": {token}, "list": [{token}]}}' for token in TOKENS))
    assert frame["id"].to_list() == list(TOKENS.values())
    assert frame["list"].to_list() == [[value] for value in TOKENS.values()]


def test_a_key_without_letters_is_a_column(read):
    assert read('{"": "a", "b": 1}\n').to_dict(as_series=False) == {"": ["a"], "b": ["1"]}


def test_objects_and_lists_of_lists_stand_as_json(read):
    frame = read('{"o": {"b": [1.50, "\u00e9"]}, "l": [[1]]}\n{"o": null, "l": [{"k": []}]}')
    assert frame["o"].to_list() == [{"json": '{"b": [1.5, "\u00e9"]}'}, None]
    assert frame["l"].to_list() == [[{"json": '["1"]'}], [{"json": '{"k": []}'}]]
    assert frame["o"].dtype.is_nested()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('{"a":1}\n{"a":\n', ["line 2", "'{\"a\":' is not JSON"]),
        ('{"a":1}\n{"a":' + "[" * 200_000, ["line 2", "nested more than 500 deep"]),
        ('{"a":1}\n{"a":' + '{"a":' * 501 + "1" + "}" * 502, ["line 2", "nested more than 500"]),
        ('{"a":1}\n\n[1]\n', ["line 3", "'[1]' is not an object"]),
        ('{"a":"x"}\n\n{"a":[7]}', ["line 3", "'a' holds a list, '[7]', and one value on line 1"]),
        ('{"a":{"b":"q"}}\n{"a":null}\n{"a":5}', ["line 3", "one value, '5'", "object on line 1"]),
        ('{"a":[1]}\n{"a":[[2]]}', ["several kinds"]),
        ('{"a": 1}\n{"b": 2, "a": 1, "a": 2}', ["line 2", "the key 'a' is twice"]),
        (b'{"a": 1}\n{"a": "caf\xe9"}', ["line 2", "byte 0xe9 is not UTF-8"]),
        (b'{"a": 1}\r{"a": "caf\xe9"}\r', ["line 2", "byte 0xe9 is not UTF-8"]),
        ('{"a": 1}\n{"a": "x\0y"}', ["line 2", '\'{"a": "x\\x00y"}\' is not JSON']),
        ('{"a": "x"}\n{"a\\ud83d": 1}', ["half of a surrogate pair", "key 'a\\ud83d'"]),
        ('[\n{"a": 1},\n{"a": 2}]', ["line 1", "one list of objects", "jq -c '.[]'"]),
        ('[{"a": 1}, {"a": 2}]', ["line 1", "one list of objects", "jq -c '.[]'"]),
        ('{\n"a": 1\n}', ["line 1", "one object over several lines", "jq -c ."]),
        ('{"a": "' + "x" * 10**6, ["line 1", "xxx...'"]),
        ("\n".join(f'{{"k{i}": 1}}' for i in range(9000)) + "\n", ["9,000 different keys, 1 each"]),
    ],
)
def test_broken_lines_are_named(read, text, seen):
    with pytest.raises(DataError) as caught:
        read(text)
    assert len(str(caught.value)) < 700
    for part in ("data.file=", "t.jsonl", *seen):
        assert part in str(caught.value)


def test_half_a_character(read):
    text = (
        '{"id": "a", "t": "\\ud83d"}\n{"id": "b", "t": "\\ud83c\\udf2e \\udf2e", "l": ["\\ud83d"]}'
    )
    notes = []
    frame = read(text, ids=["id"], notes=notes)
    assert frame["t"].to_list() == ["\ufffd", "\U0001f32e \ufffd"]
    assert frame["l"].to_list() == [None, ["\ufffd"]]
    (note,) = notes
    assert (note.dropped, note.of, note.example, note.done) == (3, 2, "line 1", "changed")
    with pytest.raises(DataError, match=r"line 1: 't' holds '\\ud83d', with half of a surr"):
        read(text, ids=["t"])
    with pytest.raises(DataError, match=r"line 2: 'l' holds '\\ud83d', with half of a surr"):
        read(text, ids=["l"])


def test_pieces_join_into_the_whole_table(read, monkeypatch):
    lines = [f'{{"a": {i}, "l": [{i}]}}' if i % 3 else '{"b": "x"}' for i in range(99)]
    whole = Source.blocks
    frame = read("\n".join(lines))
    monkeypatch.setattr(Source, "blocks", lambda self, size=50: whole(self, size))
    assert read("\n".join(lines)).equals(frame)
    with pytest.raises(
        DataError, match=r"line 100: column 'b' holds a list, .*one value on line 1"
    ):
        read("\n".join([*lines, '{"b": []}']))


def test_tens_of_thousands_of_columns(read):
    row = "{" + ", ".join(f'"c{i}": {i}' for i in range(20_000)) + "}"
    frame = read(f"{row}\n{row}")
    assert frame.shape == (2, 20_000)
    assert frame["c19999"].dtype == pl.String
