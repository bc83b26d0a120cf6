"""Options have underscores, whichever way they are typed; values are what was typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_rec.cli.init import _parser
from lit_rec.cli.options.words import underscored
from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError

KNOWN = {"--ckpt_path", "--trainer.callbacks_of", "--a-b"}


@pytest.mark.parametrize(
    ("word", "spelt"),
    [
        ("--ckpt-path", "--ckpt_path"),
        ("--ckpt_path", "--ckpt_path"),
        ("--ckpt-path=a-b/--ckpt-path=c", "--ckpt_path=a-b/--ckpt-path=c"),
        ("--trainer.callbacks-of+=X-Y", "--trainer.callbacks_of+=X-Y"),
        ("--a-b", "--a-b"),  # an option of this very name
        ("--no-such=1", "--no-such=1"),
        ("ckpt-path", "ckpt-path"),
        ("-ckpt-path", "-ckpt-path"),
    ],
)
def test_a_word(word, spelt):
    assert underscored(["fit", word, "x-y"], KNOWN) == ["fit", spelt, "x-y"]


def test_what_follows_two_hyphens_is_no_option():
    words = ["--ckpt-path", "--", "--ckpt-path"]
    assert underscored(words, KNOWN) == ["--ckpt_path", "--", "--ckpt-path"]


@given(st.lists(st.text(alphabet="-_ab=+. ", max_size=8)))
def test_values_stay(words):
    known = {"--a_b", "--b_a", "--a_b.a"}
    for before, after in zip(words, underscored(words, known), strict=True):
        assert after.partition("=")[1:] == before.partition("=")[1:]
        if after != before:
            assert after.partition("=")[0].removesuffix("+") in known
            assert before.startswith("--")


def test_both_spellings_of_a_command():
    tables = ["--x-behaviors.csv", "a-b.csv"]
    for option in ("--user-column", "--user_column"):
        found = _parser().parse_args([option, "user-id", f"{option}=my-user", "--", *tables])
        assert (found.user_column, found.files) == ("my-user", tables)
    [option] = [o for a in _parser()._actions for o in a.option_strings if "user_c" in o]
    assert option == "--user_column"


def test_unknown_options_of_a_command():
    with pytest.raises(ConfigError, match="did you mean '--user_column'"):
        _parser().parse_args(["a.csv", "--user-colum", "x"])
    with pytest.raises(ConfigError, match="see `lit-rec init --help`"):
        _parser().parse_args(["a.csv", "--nothing-of-it"])


def test_words_of_the_process_are_read_where_none_are_given(monkeypatch):
    monkeypatch.setattr("sys.argv", ["lit-rec", "--top-k", "3"])
    parser = CommandParser("other", rule="a number", description="Another command.")
    parser.add_argument("--top_k", type=int)
    assert parser.parse_args().top_k == 3
    with pytest.raises(ConfigError, match="lit-rec other"):
        parser.parse_args(["--top_k=many"])
