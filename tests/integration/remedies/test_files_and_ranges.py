"""Remedies of files that cannot be written, and of numbers outside a range; see ``followed``."""

import re
import resource
from functools import partial
from pathlib import Path

import pytest

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.data.texts.template import TextTemplate
from lit_rec.files import open_files
from lit_rec.files.atomic import replace_file
from lit_rec.files.cache import cached
from lit_rec.files.lock import FileLock
from lit_rec.files.new_folder import write_folder
from lit_rec.models.heads.value_heads import MLPHead
from lit_rec.models.objectives.ranking import ItemSoftmax

from .followed import each_remedy_of, follow, refused


def written(path):
    return partial(replace_file, path, lambda work: work.write_text("new"))


def filled(path):
    def write(folder):
        Path(folder, "a.txt").write_text("new")

    return partial(write_folder, path, write, option="--output", may_replace=lambda folder: None)


@pytest.mark.parametrize("make", [written, filled])
def test_another_folder(tmp_path, make):
    (tmp_path / "file").touch()
    follow(make(tmp_path / "file/a"), make(tmp_path / "folder/a"), says="or choose another folder")


@pytest.mark.parametrize("make", [written, filled])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(13, "Permission denied"), "change the permissions of the folder"),
        (OSError(28, "No space left on device"), "make room"),
    ],
)
def test_a_folder_that_takes_nothing(tmp_path, make, error, says):
    """Root may write everywhere, and no test fills a disk."""

    def broken():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "replace", fails)
            patch.setattr(Path, "rename", fails)
            make(tmp_path / "a")()

    def fails(*_):
        raise error

    follow(broken, make(tmp_path / "a"), says=says)


def test_a_folder_where_a_file_is_written(tmp_path):
    (tmp_path / "a").mkdir()
    broken = written(tmp_path / "a")
    name = re.search(r"such as (.*)", refused(broken)[0].remedy)[1]
    follow(broken, written(Path(name)), says="name a file in it")
    assert Path(name).is_relative_to(tmp_path / "a")


def test_a_file_where_a_folder_is_written(tmp_path):
    (tmp_path / "a").touch()
    follow(filled(tmp_path / "a"), filled(tmp_path / "b"), says="name another folder")


@pytest.mark.parametrize("way", ["wait for it", "name another folder"])
def test_a_folder_that_another_process_writes(tmp_path, monkeypatch, way):
    monkeypatch.setattr("lit_rec.files.new_folder._PATIENCE", 0.0)
    lock = FileLock(tmp_path / ".a.lit_rec.lock")
    lock.acquire()

    def waited():
        lock.release()
        filled(tmp_path / "a")()

    follow(filled(tmp_path / "a"), waited if "wait" in way else filled(tmp_path / "b"), says=way)
    lock.release()


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()

    def tokens(root):
        return cached(root, "tokens", "0" * 16, lambda folder: (folder / "a").touch())

    follow(
        partial(tokens, tmp_path / "file"),
        partial(tokens, tmp_path / "cache"),
        says="set BehaviorDataModule.cache_folder to another place",
    )


@pytest.mark.parametrize("way", ["num_workers", "raise the limit"])
def test_a_system_that_allows_few_open_files(monkeypatch, way):
    """The limits are those of a made-up system: a process cannot take its own hard limit back."""
    hard = 200

    class System:
        RLIMIT_NOFILE, RLIM_INFINITY = resource.RLIMIT_NOFILE, resource.RLIM_INFINITY
        getrlimit = staticmethod(lambda kind: (64, hard))
        setrlimit = staticmethod(lambda kind, limits: None)

    monkeypatch.setattr(open_files, "resource", System)

    def data(workers):
        return BehaviorDataModule(None, "encoder", TextTemplate(["title"]), num_workers=workers)

    remedy = refused(partial(data, 4))[0].remedy
    fitting, limit = map(int, re.findall(r"to (\d+)", remedy))

    def mended():
        nonlocal hard
        if way == "num_workers":
            data(fitting)
        else:
            hard = limit
            data(4)

    follow(partial(data, 4), mended, says=way)


@pytest.mark.parametrize(
    ("make", "option", "wrong", "right"),
    [
        (partial(MLPHead, Facts.example(), 4), "hidden", 0, 8),
        (ItemSoftmax, "temperature", -1.0, 0.1),
    ],
)
@pytest.mark.parametrize("way", ["correct the value", "leave the option out for its default"])
def test_numbers_outside_a_range(make, option, wrong, right, way):
    given = {option: right} if "correct" in way else {}
    follow(partial(make, **{option: wrong}), partial(make, **given), says=way)


test_each_remedy_was_followed = each_remedy_of("files", "ranges.py")
