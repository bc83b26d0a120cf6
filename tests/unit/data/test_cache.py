import threading
import time

import pytest

from lit_rec.data.cache import cached, hash_of, hash_of_files, options_of
from lit_rec.data.splits import RandomSplit, TimeSplit
from lit_rec.errors import ConfigError


class Builder:
    def __init__(self, wait=0.0):
        self.calls, self.wait = 0, wait

    def __call__(self, folder):
        self.calls += 1
        time.sleep(self.wait)
        (folder / "deep").mkdir()
        (folder / "deep" / "a.bin").write_bytes(b"hello")


def folders(root):
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def test_built_once(tmp_path):
    build = Builder()
    folder = cached(tmp_path / "root", "tables", "k" * 64, build)
    assert folder == cached(tmp_path / "root", "tables", "k" * 64, build)
    assert (folder / "deep" / "a.bin").read_bytes() == b"hello"
    assert build.calls == 1
    assert folders(tmp_path / "root") == ["tables-" + "k" * 16]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: (f / "deep" / "a.bin").write_bytes(b"hellO"),
        lambda f: (f / "deep" / "a.bin").write_bytes(b"hell"),
        lambda f: (f / "deep" / "a.bin").unlink(),
        lambda f: (f / "manifest.json").unlink(),
        lambda f: (f / "manifest.json").write_text("{"),
        lambda f: (f / "manifest.json").write_text('{"key": "key", "files": []}'),
        lambda f: (f / "manifest.json").write_text('{"key": "other", "files": {}}'),
    ],
)
def test_damage_is_noticed(tmp_path, spoil):
    build = Builder()
    folder = cached(tmp_path, "t", "key", build)
    spoil(folder)
    assert (cached(tmp_path, "t", "key", build) / "deep" / "a.bin").read_bytes() == b"hello"
    assert build.calls == 2


def test_two_at_once_build_once(tmp_path):
    build = Builder(0.2)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(cached(tmp_path, "t", "key", build)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 3
    assert build.calls == 1


def test_failing_build_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / "a").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cached(tmp_path, "t", "key", fail)
    assert folders(tmp_path) == []


def test_what_a_killed_build_left_is_removed(tmp_path):
    (tmp_path / ".t-key.999999").mkdir()
    (tmp_path / ".t-other.999999").mkdir()
    cached(tmp_path, "t", "key", Builder())
    assert folders(tmp_path) == [".t-other.999999", "t-key"]


def test_root_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"data\.cache_folder: .*file.* cannot be written"):
        cached(tmp_path / "file" / "root", "t", "key", Builder())


def test_hashes(tmp_path):
    assert hash_of({"a": 1, "b": tmp_path}) == hash_of({"b": tmp_path, "a": 1})
    assert hash_of(options_of(TimeSplit(0.1))) != hash_of(options_of(TimeSplit(0.2)))
    assert hash_of(options_of(TimeSplit())) != hash_of(options_of(RandomSplit()))
    path = tmp_path / "a.csv"
    path.write_text("1")
    first = hash_of_files([path])
    path.write_text("2")
    assert hash_of_files([path]) != first
