"""The table of commands: each row has a function, and a help that fits a screen and imports nothing large."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lit_rec.cli.commands import COMMANDS, Command, usage
from lit_rec.cli.main import main
from lit_rec.cli.trainer_commands import short_help

ROOT = Path(__file__).parents[3]
LINES, COLUMNS = 24, 100
TRAINER = ("fit", "validate", "test", "predict")
LIGHT = """
import sys
from lit_rec.cli.commands import COMMANDS
from lit_rec.cli.main import main
for words in [["--help"], *([name, "--help"] for name in COMMANDS)]:
    try:
        main(words)
    except SystemExit as stop:
        assert stop.code == 0
large = {"torch", "numpy", "polars", "lightning", "transformers", "jsonargparse", "rich"}
print("large:", sorted(large & {name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture
def shown(capsys, monkeypatch):
    """Return what a command prints on a screen of this width before it ends well."""

    def run(*words):
        monkeypatch.setenv("COLUMNS", str(COLUMNS))
        with pytest.raises(SystemExit) as stop:
            main(list(words))
        assert stop.value.code == 0
        return capsys.readouterr().out

    return run


def fits(text):
    lines = text.splitlines()
    return len(lines) <= LINES and max(map(len, lines)) <= COLUMNS


def test_usage_has_a_line_for_each_command():
    assert fits(usage())
    words = " ".join(usage().split())
    for command in COMMANDS.values():
        assert f" lit-rec {command.name} {command.needs} {command.summary}" in words


def test_what_a_command_needs_may_be_longer_than_a_column(monkeypatch):
    row = Command("init", "lit_rec.cli.init", "--one FILE --another FILE --and MORE")
    monkeypatch.setattr("lit_rec.cli.commands._ROWS", (row,))
    lines = usage().splitlines()
    assert lines[2].endswith(row.needs)
    assert lines[3].split() == row.summary.split()


def test_a_hyphen_in_a_name_is_an_underscore_in_its_function():
    row = Command("short-help", "lit_rec.cli.trainer_commands", "")
    assert row.function is short_help
    assert row.summary.startswith("Return a parser")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_fits_a_screen(name, shown):
    command = COMMANDS[name]
    text = shown(name, "--help")
    assert text == shown(name, "-h")
    assert fits(text), text
    assert text.startswith(f"usage: lit-rec {name} {command.needs} [options]\n\n{command.summary}")
    for page in re.findall(r"\b(?:docs|configs)/[\w.]*", text):
        assert (ROOT / page).exists()


def test_help_is_there_before_anything_large_is_imported():
    words = [sys.executable, "-c", LIGHT]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count("usage: lit-rec ") == len(COMMANDS)
    assert done.stdout.endswith("large: []\n")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", TRAINER)
def test_the_short_help_of_the_trainer_speaks_of_options_that_there_are(name, shown):
    full = shown(name, "--help_all")
    assert len(full.splitlines()) > 300
    listed = set(re.findall(r"(?<![\w.-])--?[\w.]+", full))
    short = {o for action in short_help(name)._actions for o in action.option_strings}
    examples = set(re.findall(r"--[a-z_]+\.[a-z_]+", short_help(name).format_help()))
    of_data = {"--data.batch_size"}  # of a class, not of the command
    invented = {"--data.OPTION", "--model.OPTION", "--trainer.OPTION", "--help_all"}
    assert of_data <= examples
    assert (short | examples) - invented - of_data <= listed
    assert "--data.batch_size" in shown(name, "--data.help", "BehaviorDataModule")
