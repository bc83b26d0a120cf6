"""A class in a file of the current folder: `fit` finds it by its YAML, other commands only where it is trusted."""

import sys
from pathlib import Path

import pytest

from lit_rec.cli.options.own_modules import modules_of_folder

from .conftest import lit_rec, message
from .own_runs import configuration, write

pytestmark = pytest.mark.filterwarnings("default")
MODULE = """\
from pathlib import Path

from lit_rec.models.heads.value_heads import DotHead

Path("imported").touch()


class MyHead(DotHead):
    '''A head of one's own.'''
"""


@pytest.fixture
def folder(tmp_path):
    """The current folder, which is not where Python looks for modules."""
    (tmp_path / "my_parts.py").write_text(MODULE)
    assert str(tmp_path) not in sys.path
    assert "" not in sys.path
    yield tmp_path
    sys.modules.pop("my_parts", None)


def test_a_head_in_the_current_folder(folder, workplace, capsys):
    config = configuration(workplace, max_epochs=1)
    config["model"]["network"]["init_args"]["head"] = {"class_path": "my_parts.MyHead"}
    config["trainer"]["logger"]["init_args"]["name"] = "own"
    path = write(config, Path("own.yaml"))
    lit_rec("check", "-c", path)
    lit_rec("fit", "-c", path)
    best = min(Path("runs/own/version_0").glob("*.ckpt"))
    for command in (("test",), ("recommend", "--user", "405")):
        sys.modules.pop("my_parts", None)
        Path("imported").unlink()
        said = message(capsys, *command, "--ckpt_path", best)
        assert "my_parts" in said
        assert not Path("imported").exists(), "nothing of it was run"
        lit_rec(*command, "--ckpt_path", best, "--trust", "my_parts")  # the remedy
        assert Path("imported").exists()


def found(command, *words):
    """Names that a command finds in the current folder."""
    names = []
    with modules_of_folder(command, words):
        for name in ("one_part", "other_part", "bare_folder", "json"):
            finder = sys.meta_path[-1]
            names += [name] if finder.find_spec(name, None) else []
    return names


def test_which_modules_are_found(tmp_path):
    for name in ("one_part.py", "json.py", "bare_folder/log.txt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    Path("other_part").mkdir()
    Path("other_part/__init__.py").touch()
    assert found("fit") == ["one_part", "other_part", "json"]
    assert found("recommend") == []
    assert found("test", "--trust", "one_part.heads") == ["one_part"]
    assert found("test", "--trust=other_part,json") == ["other_part", "json"]
    before = list(sys.meta_path)
    with modules_of_folder("fit", []):
        import json

        assert not json.__file__.startswith(str(tmp_path)), "what is installed comes first"
    assert sys.meta_path == before
