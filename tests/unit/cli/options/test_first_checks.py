"""What is said before torch is imported; and that the names are those of the real parsers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lit_rec.cli.main import main
from lit_rec.cli.options.first_checks import NAMES, check_words
from lit_rec.errors import CheckpointError

ROOT = Path(__file__).parents[4]
LIGHT = """
import sys
from lit_rec.cli.main import main
for words in WORDS:
    try:
        main(words)
    except SystemExit as stop:
        assert stop.code == 2, words
    else:
        raise AssertionError(words)
print("large:", sorted({"torch", "lightning", "transformers"} & {*sys.modules}))
"""
WRONG = [
    ["fot"],
    ["fit"],
    ["fit", "--nosuch", "3"],
    ["fit", "-c", "none.yaml"],
    ["fit", "-c", "README.md"],
    ["fit", "-c", "configs/quickstart.yaml", "--dat.batch_size", "3"],
    ["fit", "-c", "configs/quickstart.yaml", "--data.batchsize", "3"],
    ["fit", "-c", "configs/quickstart.yaml", "--trainer.max_epoch=3"],
    ["fit", "-c", "configs/quickstart.yaml", "--model.network.init_args.item_encoder.widht=3"],
    ["fit", "-c", "configs/quickstart.yaml", "--ckpt-path", "none.ckpt"],
    ["tune"],
    ["tune", "-c", "none.yaml"],
    ["tune", "-c", "configs/quickstart.yaml", "--trials", "0"],
    ["tune", "-c", "configs/quickstart.yaml", "--space", "none.yaml"],
    ["check"],
    ["check", "-c", "none.yaml"],
    ["check", "-c", "configs/quickstart.yaml", "--nosuch"],
    *([name] for name in ("validate", "test", "predict", "recommend", "classify", "init")),
    *(
        [name, "--ckpt_path", "none.ckpt", *more]
        for name, *more in (
            ("validate",),
            ("test",),
            ("predict", "--k", "3"),
            ("recommend", "--user", "1"),
            ("classify", "--text", "a"),
            ("export-encoder", "--output", "new"),
        )
    ),
    ["test", "--k", "3"],
    ["recommend", "--nosuch", "3"],
    ["init", "none.csv"],
    ["init", "none.csv", "other.csv"],
]


def test_mistakes_are_said_before_torch_is_imported():
    words = [sys.executable, "-c", LIGHT.replace("WORDS", repr(WRONG))]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("large: []\n"), done.stdout
    assert done.stderr.count("lit_rec: ") == len(WRONG)
    assert "Traceback" not in done.stderr


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("command", NAMES)
def test_the_names_are_those_of_the_parser(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help_all"])
    listed = re.findall(r"^ {2}(?:-\w(?: \w+)?, )?--([a-z_]+)", capsys.readouterr().out, re.M)
    assert set(listed) - {"help"} == set(NAMES[command])


def test_a_checkpoint_that_is_not_there(tmp_path):
    (tmp_path / "best.ckpt").touch()
    with pytest.raises(CheckpointError, match=rf"name {tmp_path}/best\.ckpt"):
        check_words("test", ["--ckpt-path", str(tmp_path / "bst.ckpt")])
    check_words("test", ["--ckpt-path", str(tmp_path / "best.ckpt")])


@pytest.mark.parametrize("word", ["--help", "--help_all", "-h", "--data.help=X"])
def test_help_needs_nothing(word):
    check_words("fit", [word])
    check_words("test", [word])
