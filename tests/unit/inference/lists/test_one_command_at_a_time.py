"""Two commands never make lists in one folder at once, and a killed one is in nobody's way."""

import subprocess
import sys

import pytest

from lit_rec.errors import ConfigError
from lit_rec.inference.lists import parts as list_parts
from lit_rec.inference.lists.parts import ListParts

from .conftest import TOWERS, module_of

pytestmark = pytest.mark.filterwarnings("default")

_OTHER = """
import sys
from pathlib import Path
from lit_rec.inference.lists.parts import ListParts
parts = ListParts(Path(sys.argv[1]), "0123456789abcdef")
parts.claim()
print("claimed", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def module(made):
    return module_of(made("rating"), *TOWERS["rating"][0])


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Another command that makes lists in the folder, until it is killed."""
    monkeypatch.setattr(list_parts, "_PATIENCE", 0.2)
    words = [sys.executable, "-c", _OTHER, str(tmp_path / "recommendations.parquet")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"claimed\n"
        yield process
        process.kill()


def test_a_second_command_is_refused_until_the_first_has_ended(
    made, lists, module, other, tmp_path
):
    blocks, mine = (tmp_path / f".recommendations.{key}" for key in ("0123456789abcdef", "mine"))
    for folder in (blocks, mine):
        folder.mkdir()
        (folder / "00000000.parquet").touch()
    with pytest.raises(ConfigError) as refused:
        lists(module, made("rating"), k=5)
    said = str(refused.value)
    assert f"{tmp_path}: another predict writes recommendations.parquet there" in said
    assert "wait until it has ended" in said
    assert blocks.is_dir(), "the other one's blocks stay"
    other.kill()
    other.wait()
    assert len(lists(module, made("rating"), k=5))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [mine.name, "recommendations.parquet"], "a folder of the user's stays"


def test_one_that_has_just_been_killed_is_waited_for(made, lists, module, other, monkeypatch):
    """Its loaders may hold on for some seconds."""
    monkeypatch.setattr(list_parts, "_PATIENCE", 10.0)
    claim = ListParts.claim
    monkeypatch.setattr(ListParts, "claim", lambda parts: other.kill() or claim(parts))
    assert len(lists(module, made("rating"), k=5))


def test_a_command_that_fails_lets_the_next_one_in(made, lists, module, monkeypatch, tmp_path):
    monkeypatch.setattr(list_parts, "_PATIENCE", 0.0)

    def fails(parts, number, frame):
        assert (tmp_path / ".recommendations.lock").exists()
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(ListParts, "write", fails)
        with pytest.raises(RuntimeError, match="broken"):
            lists(module, made("rating"), k=5)
    assert not (tmp_path / ".recommendations.lock").exists()
    assert len(lists(module, made("rating"), k=5))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file/recommendations.parquet"
    with pytest.raises(ConfigError, match=r"recommendations\.parquet: cannot be written"):
        ListParts(path, "key").claim()
