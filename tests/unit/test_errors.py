import pytest

from lit_rec.errors import DataError, causes, did_you_mean, near_names


@pytest.mark.parametrize("part", ["problem", "where", "rule", "remedy", "details"])
def test_a_message_is_short_and_of_printable_characters(part):
    value = "\x1b[31m\n\u202e" + "x" * 10**7
    parts = {"problem": "p", "where": "w", "rule": "r", "remedy": "m"}
    parts[part] = [value] * 9 if part == "details" else value
    lines = str(DataError(**parts)).split("\n")
    assert len(lines) <= 8
    assert all(line.isprintable() and len(line) < 1100 for line in lines)
    assert r"\x1b[31m\n\u202e" in "\n".join(lines)


def test_near_names_of_very_many(monkeypatch):
    names = [f"column_{number}" for number in range(10**5)]
    assert did_you_mean("colum_7", ["column_7", "other"]) == "did you mean 'column_7'?"
    assert near_names("x" * 10**6, names) == []
    assert near_names("column_5x", names)


def test_a_chain_of_errors_that_comes_back_to_itself_ends():
    first, second, third = (ValueError(text) for text in "abc")
    first.__cause__, second.__context__, third.__context__ = second, third, first
    assert [*causes(first)] == [first, second, third]
    assert [*causes(None)] == []
