"""write_folder: whole or not at all, whatever was there and whoever else writes."""

import os
from pathlib import Path

import pytest

from lit_rec.errors import ConfigError
from lit_rec.files.new_folder import write_folder


def anything(folder):
    """Let every folder be replaced."""


def refused(folder):
    raise ConfigError("it stays", where=str(folder))


def writes(text):
    return lambda folder: Path(folder, "a.txt").write_text(text)


def put(path, write, may_replace=anything):
    return write_folder(path, write, option="--output", may_replace=may_replace)


def test_new_folder(tmp_path):
    made = put(tmp_path / "one/two", writes("new"))
    assert (made / "a.txt").read_text() == "new"
    assert os.listdir(tmp_path / "one") == ["two"]


def test_folder_that_is_there_is_asked_about_unless_it_is_empty(tmp_path):
    (tmp_path / "a").mkdir()
    put(tmp_path / "a", writes("first"), refused)
    with pytest.raises(ConfigError, match="it stays"):
        put(tmp_path / "a", writes("second"), refused)
    assert (tmp_path / "a/a.txt").read_text() == "first"
    (tmp_path / "a/b.txt").write_text("of the first alone")
    put(tmp_path / "a", writes("second"))
    assert [path.read_text() for path in (tmp_path / "a").iterdir()] == ["second"]
    assert os.listdir(tmp_path) == ["a"]


def test_what_fails_leaves_the_old_one(tmp_path):
    put(tmp_path / "a", writes("old"))

    def fail(folder):
        writes("new")(folder)
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        put(tmp_path / "a", fail)
    assert (tmp_path / "a/a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_old_one_comes_back_where_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    put(tmp_path / "a", writes("old"))
    rename = Path.rename

    def once(path, target):
        if path.name.endswith(".part"):
            raise PermissionError(13, "Permission denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(ConfigError, match=r"cannot be written \(Permission denied"):
        put(tmp_path / "a", writes("new"))
    assert (tmp_path / "a/a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_what_a_killed_process_left_is_put_right(tmp_path):
    put(tmp_path / "a", writes("old"))
    (tmp_path / "a").rename(tmp_path / ".a.lit_rec.old")  # killed between two renames
    (tmp_path / ".a.lit_rec.part").mkdir()
    with pytest.raises(ConfigError, match="it stays"):
        put(tmp_path / "a", writes("new"), refused)
    assert (tmp_path / "a/a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="this is a file"):
        put(tmp_path / "file", writes("new"))
    with pytest.raises(ConfigError, match=r"file/a: cannot be written"):
        put(tmp_path / "file/a", writes("new"))


def test_link_leads_to_the_new_folder(tmp_path):
    put(tmp_path / "a", writes("old"))
    (tmp_path / "link").symlink_to("a")
    put(tmp_path / "link", writes("new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a/a.txt").read_text() == "new"
