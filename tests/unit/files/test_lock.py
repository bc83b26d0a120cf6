"""One process at a time, also while lock files come and go."""

import subprocess
import sys
from pathlib import Path

from lit_rec.files.lock import FileLock, if_abandoned, lock_handle

ROOT = Path(__file__).parents[3]
# adds one to a number in a file many times, each time under the lock; argv: lock, number
COUNTS = """
import sys
from pathlib import Path
from lit_rec.files.lock import FileLock
lock, number = FileLock(Path(sys.argv[1])), Path(sys.argv[2])
for _ in range(200):
    lock.acquire()
    number.write_text(str(int(number.read_text()) + 1))
    lock.release()
"""


def test_processes_take_turns_and_leave_no_lock(tmp_path):
    (tmp_path / "number").write_text("0")
    words = [sys.executable, "-c", COUNTS, tmp_path / "lock", tmp_path / "number"]
    processes = [subprocess.Popen(words, cwd=ROOT) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    assert (tmp_path / "number").read_text() == "800"
    assert [path.name for path in tmp_path.iterdir()] == ["number"]


def test_a_lock_is_held_until_released(tmp_path):
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire(0)
    assert not second.acquire(0.1)
    with if_abandoned(tmp_path / "lock") as abandoned:
        assert not abandoned
    first.release()
    first.release()
    assert second.acquire(0)
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_locks_keeps_nobody_out_and_has_nothing_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("lit_rec.files.lock.fcntl", None)
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire(0)
    assert not lock.is_sure
    with if_abandoned(tmp_path / "lock") as abandoned:
        assert not abandoned
    lock.release()
    assert lock_handle(0, wait=False) is None
