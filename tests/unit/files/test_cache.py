import errno
import json
import subprocess
import sys
import time
import zlib
from pathlib import Path

import polars as pl
import pytest

from lit_rec.data.splits.splits import RandomSplit, TimeSplit
from lit_rec.errors import ConfigError, DataError
from lit_rec.files.cache import cached, hash_of, hash_of_files, options_of, remove_built
from lit_rec.files.lock import FileLock

ROOT = Path(__file__).parents[3]


class Builder:
    def __init__(self):
        self.calls = 0

    def __call__(self, folder):
        self.calls += 1
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


@pytest.mark.parametrize("name", ["/etc/hostname", "../other/a.bin", "deep/../../other/a.bin"])
def test_a_manifest_that_names_a_file_elsewhere(tmp_path, name):
    build = Builder()
    other = cached(tmp_path, "other", "o" * 16, build)
    folder = cached(tmp_path, "t", "k" * 16, build)
    path = folder / name if name[0] == "/" else other / "deep/a.bin"
    manifest = json.loads((folder / "manifest.json").read_text())
    data = path.read_bytes()
    files = {name: [len(data), zlib.crc32(data)]}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"files": files}))
    cached(tmp_path, "t", "k" * 16, build)
    assert build.calls == 3


# builds slowly, and notes that it did; argv: root, a file to wait for, a file to note builds in
PROCESS = """
import sys, time
from pathlib import Path
from lit_rec.files.cache import cached
root, start, notes = map(Path, sys.argv[1:])
def build(folder):
    with notes.open("a") as file:
        file.write("built\\n")
    for number in range(10):
        (folder / f"{number}.bin").write_bytes(bytes(1000))
        time.sleep(0.03)
print("ready", flush=True)
while not start.exists():
    time.sleep(0.001)
folder = cached(root, "t", "key", build)
print(folder, len(list(folder.glob("*.bin"))), flush=True)
"""


def process(tmp_path):
    """A process that is ready to ask for the cache in ``tmp_path``."""
    words = [tmp_path / name for name in ("root", "start", "notes")]
    command = [sys.executable, "-c", PROCESS, *map(str, words)]
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert started.stdout.readline() == "ready\n"
    return started


def test_processes_at_once_build_once(tmp_path):
    processes = [process(tmp_path) for _ in range(3)]
    (tmp_path / "start").touch()
    ends = [one.communicate(timeout=60) for one in processes]
    assert [one.returncode for one in processes] == [0, 0, 0], ends
    whole = tmp_path / "root" / "t-key"
    assert ends == [(f"{whole} 10\n", "")] * 3
    assert (tmp_path / "notes").read_text() == "built\n"


def test_a_process_killed_while_building_is_followed_by_another(tmp_path):
    killed, next_one = process(tmp_path), process(tmp_path)
    (tmp_path / "start").touch()
    deadline = time.monotonic() + 60
    while not (tmp_path / "notes").exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    # one of the two builds; whichever is killed, the other hands out a whole folder
    killed.kill()
    killed.communicate(timeout=60)
    out, err = next_one.communicate(timeout=60)
    assert out == f"{tmp_path / 'root' / 't-key'} 10\n", err
    assert folders(tmp_path / "root") == ["t-key"]


def test_failing_build_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / "a").write_text("half")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cached(tmp_path, "t", "key", fail)
    assert folders(tmp_path) == []


KEY, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4


@pytest.mark.parametrize("found", [True, False])
def test_what_killed_builds_left_is_removed_whatever_is_asked_for(tmp_path, found):
    if found:
        cached(tmp_path, "t", KEY, Builder())
    for name in (f".t-{KEY[:16]}.part", f".t-{OTHER[:16]}.part", f".t-{OTHER[:16]}.999999"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.npy").touch()
    (tmp_path / f".t-{OTHER[:16]}.lock").touch()
    (tmp_path / ".my-own.part").mkdir()
    cached(tmp_path, "t", KEY, Builder())
    assert sorted(p.name for p in tmp_path.iterdir()) == [".my-own.part", f"t-{KEY[:16]}"]


def test_what_a_living_build_writes_stays(tmp_path):
    """While one key is built, another command asks for another one, and a third for the same."""
    own = tmp_path / f".t-{KEY[:16]}.part"

    def build(folder):
        assert folder == own
        (folder / "a").write_text("one")
        cached(tmp_path, "t", OTHER, Builder())
        assert FileLock(tmp_path / f".t-{KEY[:16]}.lock").acquire(0) is False
        assert (folder / "a").read_text() == "one"

    cached(tmp_path, "t", KEY, build)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(f"t-{k[:16]}" for k in (KEY, OTHER))


def test_only_what_was_built_is_removed(tmp_path):
    folder = cached(tmp_path, "t", KEY, Builder())
    (folder / "deep/mine.txt").write_text("mine")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../elsewhere.txt"] = [0, 0]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "elsewhere.txt").touch()
    remove_built(folder)
    assert [p.name for p in folder.rglob("*") if p.is_file()] == ["mine.txt"]
    assert (tmp_path / "elsewhere.txt").exists()
    whole = cached(tmp_path, "t", OTHER, Builder())
    remove_built(whole)
    assert not whole.exists()


def test_a_whole_cache_that_may_only_be_read_is_used(tmp_path, monkeypatch):
    folder = cached(tmp_path, "t", KEY, Builder())
    monkeypatch.setattr(FileLock, "acquire", None)
    assert cached(tmp_path, "t", KEY, Builder()) == folder


def test_root_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ConfigError, match=r"BehaviorDataModule\.cache_folder: .*file.* cannot be written"
    ):
        cached(tmp_path / "file" / "root", "t", "key", Builder())


def raising(error):
    def build(folder):
        raise error

    return build


def inside(root, number):
    return OSError(number, "no", str(root / ".t-key.1" / "a.npy"))


@pytest.mark.parametrize(
    "make",
    [
        lambda root: OSError(errno.ENOSPC, "No space left on device"),
        lambda root: OSError(errno.EDQUOT, "Disk quota exceeded"),
        lambda root: inside(root, errno.EACCES),
        lambda root: inside(root, errno.ENOENT),
        # as NumPy and polars say it: without a number
        lambda root: OSError("4096 requested and 12 written"),
        lambda root: pl.exceptions.ComputeError("No space left on device (os error 28)"),
    ],
)
def test_build_that_cannot_write_names_the_cache(tmp_path, make):
    with pytest.raises(ConfigError, match=r"BehaviorDataModule\.cache_folder: .*cannot be written"):
        cached(tmp_path, "t", "key", raising(make(tmp_path)))


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file or directory", "my/items.csv"),
        PermissionError(errno.EACCES, "Permission denied", "encoder/vocab.txt"),
        OSError(errno.ENOSPC, "No space left on device", "/elsewhere/file"),
        OSError(errno.EIO, "Input/output error"),
        DataError("holds 'os error 28'"),
    ],
)
def test_build_that_fails_by_something_else_says_so(tmp_path, error):
    with pytest.raises(type(error)) as found:
        cached(tmp_path, "t", "key", raising(error))
    assert found.value is error
    assert cached(tmp_path, "t", "key", Builder()).is_dir(), "the lock was left"


def test_hashes(tmp_path):
    assert hash_of({"a": 1, "b": tmp_path}) == hash_of({"b": tmp_path, "a": 1})
    assert hash_of(options_of(TimeSplit(0.1))) != hash_of(options_of(TimeSplit(0.2)))
    assert hash_of(options_of(TimeSplit())) != hash_of(options_of(RandomSplit()))
    path = tmp_path / "a.csv"
    path.write_text("1")
    first = hash_of_files([path])
    path.write_text("2")
    assert hash_of_files([path]) != first
