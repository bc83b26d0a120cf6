import pytest

from lit_rec.data.json_lines import parse_json_lines
from lit_rec.errors import DataError


def test_objects_become_rows():
    text = '{"a": 1, "t": ["x"]}\r\n\n{"a": 2.5}\n{"t": [], "b": "\u2028"}'
    assert parse_json_lines(text, "t").to_dicts() == [
        {"a": 1.0, "t": ["x"], "b": None},
        {"a": 2.5, "t": None, "b": None},
        {"a": None, "t": [], "b": "\u2028"},
    ]
    assert parse_json_lines("\n \n", "t").is_empty()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('{"a":1}\n{"a":\n', ["line 2", "'{\"a\":' is not JSON"]),
        ('{"a":1}\n{"a":' + "[" * 200_000, ["line 2", "is not JSON"]),
        ('{"a":1}\n\n[1]\n', ["line 3", "'[1]' is not an object"]),
        ('{"a":"x"}\n\n{"a":[7]}', ["line 3", "'a' holds a list, '[7]', and one value on line 1"]),
        ('{"a":{"b":"q"}}\n{"a":null}\n{"a":5}', ["line 3", "one value, '5'", "object on line 1"]),
        ('{"a":[1]}\n{"a":[[2]]}', ["several kinds"]),
    ],
)
def test_broken_lines_are_named(text, seen):
    with pytest.raises(DataError) as caught:
        parse_json_lines(text, "data.file=t.jsonl")
    for part in ("data.file=t.jsonl", *seen):
        assert part in str(caught.value)
