import errno
import gc
import resource
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from lit_rec.errors import ConfigError, DataError
from lit_rec.files.atomic import disk_reason, replace_file
from lit_rec.files.parquet import write_parquet
from lit_rec.files.tensor_file import save_tensors

ROOT = Path(__file__).parents[3]
# writes half of a file, then waits until it is killed; argv: the file
HALF = """
import sys
from pathlib import Path
from lit_rec.files.atomic import replace_file
def write(work):
    work.write_text("half")
    print("written", flush=True)
    sys.stdin.read()
replace_file(Path(sys.argv[1]), write)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def writing():
    """Start a process that is in the middle of writing a file."""
    started = []

    def start(path):
        words = [sys.executable, "-c", HALF, str(path)]
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "written\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=60)


def test_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    replace_file(path, lambda work: work.write_text("one"))
    assert path.read_text() == "one"

    def fail(work):
        work.write_text("half")
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        replace_file(path, fail)
    assert path.read_text() == "one"
    assert names(path.parent) == ["a.txt"]


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else_is(tmp_path, writing):
    path = tmp_path / "a.txt"
    path.write_text("old")
    mine = ["..part", ".a.txt.123", ".lit_rec-.part", ".lit_rec-0123456789abcdef.party"]
    for name in mine:
        (tmp_path / name).touch()
    killed, living = writing(path), writing(path)
    killed.kill()
    killed.wait(timeout=60)
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == len(mine) + 3
    replace_file(tmp_path / "b.txt", lambda work: work.write_text("whole"))
    assert len(names(tmp_path)) == len(mine) + 3, "b.txt came, and of two unfinished ones one went"
    living.communicate(timeout=60)
    assert path.read_text() == "half", "the living one has finished"
    assert names(tmp_path) == sorted([*mine, "a.txt", "b.txt"])


def test_a_file_that_is_removed_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    from lit_rec.files import atomic

    lock, taken = atomic.lock_handle, []

    def slow(handle, *, wait):
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].unlink()
        return lock(handle, wait=wait)

    monkeypatch.setattr(atomic, "lock_handle", slow)
    replace_file(tmp_path / "a.txt", lambda work: work.write_text("one"))
    assert names(tmp_path) == ["a.txt"]


def test_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/a\.txt: cannot be written"):
        replace_file(tmp_path / "file" / "a.txt", lambda work: work.write_text("x"))


VALUES = np.arange(20_000.0)


@pytest.mark.parametrize(
    "write",
    [
        lambda work: work.write_bytes(VALUES.tobytes()),
        lambda work: np.save(work.open("wb"), VALUES),
        partial(save_tensors, {"a": torch.from_numpy(VALUES)}),
        partial(write_parquet, pl.DataFrame({"a": np.random.default_rng(0).random(20_000)})),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_disk_that_takes_no_more_is_said_in_a_sentence(tmp_path, write):
    """Real, by the size that a process may write: each library has its own words for it, or none."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(ConfigError) as said:
            replace_file(tmp_path / "a.bin", write)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert str(said.value).startswith(f"{tmp_path}/a.bin: cannot be written (")
    assert said.value.problem.endswith(("(File too large)", "(No space left on device)"))
    assert names(tmp_path) == []
    # what could not be flushed is closed when the error is forgotten: here, and not within another test
    del said
    gc.collect()


def test_reasons_of_a_disk():
    full = OSError(errno.ENOSPC, "No space left on device")
    wrapped = ValueError("wrapped")
    wrapped.__context__ = full
    assert disk_reason(wrapped) == "No space left on device"
    assert disk_reason(OSError(errno.EACCES, "Permission denied")) is None
    assert disk_reason(ValueError("os error of mine")) is None
    assert disk_reason(DataError("holds '(os error 28)'")) is None
    assert disk_reason(None) is None
