import pytest

from lit_rec.cli.options.option_errors import OptionParser, built_error, option_error
from lit_rec.errors import ConfigError


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Option 'data.btach_size' is not accepted", ["'data.btach_size'", "'batch_size'?"]),
        ("Subcommand 'fit' does not accept option 'modle.x'.", ["'modle.x'", "'model'?"]),
        ("unrecognized arguments: extra", ["'extra'", "correct or remove it"]),
        (
            "Parser key \"part\":\n  Expected a typing.Literal['a', 'b-c']. Got value: x",
            ["part: 'x'", "one of a, b-c"],
        ),
        (
            "Parser key \"width\": Expected a <class 'int'>. Got value: wide",
            ["width: 'wide'", "int"],
        ),
        (
            "Parser key \"reader\": - Problem with given class_path 'a.B': module 'a' has no attribute 'B'",
            ["reader: 'a.B'", "module 'a' has no attribute 'B'"],
        ),
        ("something else\n  went wrong", ["something else went wrong"]),
    ],
)
def test_an_error_is_said_in_three_lines(message, shown):
    text = str(option_error(message, ["data.batch_size", "model.width"]))
    assert len(text.splitlines()) == 3
    for part in shown:
        assert part in text


def test_a_long_value_is_cut():
    text = str(option_error(f'Parser key "a": Expected a int. Got value: {"x" * 500}', []))
    assert "xxx..." in text
    assert len(text) < 500


def test_errors_of_the_parser_are_ours():
    parser = OptionParser()
    parser.add_argument("--width", type=int)
    with pytest.raises(ConfigError, match="many"):
        parser.parse_args(["--width=many"])


@pytest.mark.parametrize("name", ["other.Logger", "lit_rec.data.Split"])
def test_a_class_that_cannot_be_built_names_the_first_cause(name):
    """Of our own class, it would be a mistake of ours, or an error that speaks for itself."""
    try:
        try:
            raise ModuleNotFoundError("needs 'x': pip install x\nnow")
        except ModuleNotFoundError as inner:
            raise ValueError(f"Given value: Namespace(class_path='{name}', a=1)") from inner
    except ValueError as outer:
        found = built_error(outer)
    if name.startswith("lit_rec"):
        assert found is None
    else:
        assert "other.Logger cannot be built (needs 'x': pip install x now)" in str(found)


def test_an_error_of_ours_within_another_librarys_class_stays():
    outer = ValueError("Given value: Namespace(class_path='other.Wrapper')")
    outer.__cause__ = ConfigError("0 is too small")
    assert built_error(outer) is None
    assert built_error(ValueError("no class")) is None
