"""What stops lit-rec check: whatever stops fit, and mistakes in its own options."""

import pytest

from .conftest import lit_rec, message, options
from .test_wrong_options import OPTIONS
from .test_wrong_tables import TABLES, table

pytestmark = pytest.mark.filterwarnings("default")

# A check is the command of fit up to its first step: one for each place where an option is looked at, which are the
# parser, parts, tables, tokenizer, network, Trainer, folder, callbacks and steps.
EACH = (
    "typo in an option",
    "negative rate",
    "label without column",
    "too few tokens",
    "too many layers",
    "unknown precision",
    "runs below a file",
    "metric that is not there without validation",
    "rate that diverges",
)


@pytest.mark.parametrize("name", EACH)
def test_wrong_options_stop_a_check_as_they_stop_a_fit(name, workplace, capsys):
    words, value = OPTIONS[name]
    assert value in message(capsys, "check", *options(workplace), *words)


# of the file, of its columns, of ids, of values, and of what is left
@pytest.mark.parametrize(
    "name", ["cut gz", "no user column", "duplicate item id", "infinite rating", "no ratings"]
)
def test_wrong_tables_stop_a_check_as_they_stop_a_fit(name, tmp_path, workplace, capsys):
    which, change, ending, value = TABLES[name]
    option = table(tmp_path, workplace, which, change, ending)
    assert value in message(capsys, "check", *options(workplace), option)


def test_obstacles_that_do_not_need_one_another_are_said_together(tmp_path, workplace, capsys):
    option = table(
        tmp_path,
        workplace,
        "behaviors",
        lambda t: t.replace("rating,", "stars,").replace("user_id", "who"),
    )
    with pytest.raises(SystemExit) as stop:
        lit_rec(
            "check",
            *options(workplace),
            option,
            "--data.encoder=./nowhere",
            "--trainer.logger.init_args.save_dir=/proc/version/runs",
        )
    assert stop.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    starts = [line for line in lines if line.startswith("lit_rec: ")]
    assert len(starts) == 3
    assert ("/proc/version" in starts[0], "./nowhere" in starts[1], "'user_id'" in starts[2]) == (
        True,
    ) * 3


def test_wrong_words(capsys, tmp_path):
    assert "lit-rec check" in message(capsys, "check")
    assert "--json" in message(capsys, "check", "-c", "x.yaml", "--json")
    assert "a folder" in message(capsys, "check", "-c", "x.yaml", "--json", tmp_path)
    with pytest.raises(SystemExit) as stop:
        lit_rec("check", "--help")
    assert stop.value.code == 0
    assert "lit-rec fit --help_all" in " ".join(capsys.readouterr().out.split())
