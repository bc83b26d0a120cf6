"""YAML that cannot be a configuration, in files and on the command line: a sentence, soon, and nothing dropped."""

import os
import random

import pytest
import yaml

from .conftest import ROOT, message
from .mutated_configs import fuzz

pytestmark = pytest.mark.filterwarnings("default")

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(9)
)
WRONG = {
    "repeated section": ("trainer: {}\ndata: {}\ntrainer: {}\n", "line 3, column 1", "in line 1"),
    "repeated option": ("trainer:\n  devices: 1\n  devices: 2\n", "line 3, column 3", "'devices'"),
    "list for a section": ("trainer:\n- max_epochs: 3\n", "line 2, column 1", "holds a list"),
    "very long text for a section": (f"data: {'a' * 10_000}\n", "line 1, column 7", "'aaaaaa"),
    "null for a section": ("trainer:\n", "line 1", "'trainer' holds null"),
    "number for a section": ("model: 3\n", "line 1, column 8", "'3'"),
    "list for init_args": (
        "data: {class_path: x, init_args: [1]}\n",
        "line 1",
        "'init_args' holds a list",
    ),
    "recursion": ("trainer: &a\n  callbacks: [*a]\n", "line 2, column 15", "'*a'"),
    "bomb": (BOMB, "line 4", "10,000"),
    "depth": (f"data: {'[' * 9000}{']' * 9000}", "line 1", "64"),
    "tag": ("data: !!python/object/apply:os.system [ls]\n", "line 1, column 7", "os.system"),
    "binary": ("data: {init_args: {encoder: !!binary aGk=}}\n", "line 1, column 29", "binary"),
    "merge key": ("a: &a {x: 1}\ntrainer:\n  <<: *a\n", "line 3, column 3", "'<<'"),
    "two documents": ("trainer: {}\n---\ndata: {}\n", "line 2, column 1", "---"),
    "key that is a number": ("trainer: {1: 2}\n", "line 1, column 11", "'1'"),
    "key that is null": ("trainer: {null: 2}\n", "line 1", "'null'"),
    "key that is true": ("trainer: {yes: 2}\n", "line 1", "'yes'"),
    "key that is a list": ("trainer: {[a]: 2}\n", "line 1", "a list or section"),
    "key of the parser": ("trainer: {__path__: 2}\n", "line 1", "'__path__'"),
    "octal": ("data: {init_args: {batch_size: 010}}\n", "line 1, column 32", "010"),
    "sexagesimal": ("data: {init_args: {batch_size: 1:30}}\n", "data.init_args.batch_size", "1:30"),
    "tab": ("data:\n\tx: 1\n", "line 2, column 1", "YAML"),
    "nul": ("data: \0\n", "wrong.yaml", "0x0000"),
    "one value": ("hello\n", "wrong.yaml", "one value"),
    "nothing": ("", "wrong.yaml", "nothing"),
    "key config": ("config: {}\n", "line 1", "'config' is an option of the command line"),
    "key trust": ("trust: my_parts\n", "line 1", "--trust after the command"),
    "undefined alias": ("data: *x\n", "line 1, column 7", "alias"),
    "interpolations": ("data: " + "${" * 3000 + "}" * 3000, "wrong.yaml", "3,000"),
    "too long": ("# " + "x" * 300_000, "wrong.yaml", "300,002"),
}


@pytest.mark.parametrize("name", WRONG)
def test_file(name, tmp_path, capsys):
    text, *expected = WRONG[name]
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    said = message(capsys, "fit", "-c", path)
    assert str(path) in said
    for part in expected:
        assert part in said
    assert len(said) < 900


def test_other_encoding(tmp_path, capsys):
    path = tmp_path / "wrong.yaml"
    path.write_bytes("trainer: {}".encode("utf-16"))
    assert "UTF-8 (byte 0xff" in message(capsys, "fit", "-c", path)


def test_second_file_and_file_of_a_section(tmp_path, capsys):
    right, wrong = ROOT / "configs/quickstart.yaml", tmp_path / "wrong.yaml"
    wrong.write_text("max_epochs: 3\nmax_epochs: 4\n")
    for words in ((f"--config={wrong}",), ("--trainer", wrong), (f"--trainer={wrong}",)):
        assert f"{wrong}, line 2" in message(capsys, "fit", "-c", right, *words)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("data.batch_size", "&a [*a]", "'*a'"),
        ("data.batch_size", f"{{{BOMB.strip()}}}".replace("\n", ", "), "10,000"),
        ("data.batch_size", "null", "data.init_args.batch_size: null"),
        ("data.batch_size", "9" * 400, "400 digits"),
        ("trainer.max_epochs", "9" * 30, "trainer.max_epochs"),
        ("model.head_rate", ".nan", "model.head_rate: nan"),
        ("model.head_rate", "1e999", "model.head_rate: inf"),
        ("model.head_rate", "9" * 400, "too large"),
        ("model.head_rate", "null", "model.head_rate: 'None'"),
        ("seed_everything", str(2**40), "seed_everything: 1099511627776"),
        ("seed_everything", "-1", "seed_everything: -1"),
        ("trainer", "[1]", "trainer"),
        ("trainer", "{max_epochs: 3, max_epochs: 4}", "'max_epochs'"),
        ("data.encoder", "${" * 3000, "3,000"),
    ],
)
def test_value_of_the_command_line(option, value, expected, capsys):
    config = ROOT / "configs/quickstart.yaml"
    assert expected in message(capsys, "fit", "-c", config, f"--{option}={value}")


def test_null_of_the_trainer_s_section_beside_another_file(tmp_path, capsys):
    path = tmp_path / "wrong.yaml"
    path.write_text("data:\n  init_args:\n    split:\n      init_args: {test: null}\n")
    said = message(capsys, "fit", "-c", ROOT / "configs/quickstart.yaml", "-c", path)
    assert "data.init_args.split.init_args.test: null" in said


def test_mutated_configurations_end_in_a_sentence_or_hold_all_that_was_asked(tmp_path, capsys):
    """``MUTATIONS=2000`` tries more, each time others."""
    count = int(os.environ.get("MUTATIONS", "12"))
    seed = 0 if count == 12 else random.randrange(10**6)
    files = sorted((ROOT / "configs").glob("*.yaml"))
    assert files
    configs = [yaml.safe_load(file.read_text()) for file in files]
    found = [f[:3] for f in fuzz(configs, count, seed, tmp_path / "mutated.yaml")]
    assert not found, (seed, found)
