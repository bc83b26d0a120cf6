"""Limits of open files are the process's own: each case is a process."""

import subprocess
import sys
from pathlib import Path

import pytest

from lit_rec.files.open_files import allow_open_files

ROOT = Path(__file__).parents[3]
LIMITED = """
import resource, sys
from lit_rec.files.open_files import allow_open_files
from lit_rec.errors import ConfigError
soft, hard, workers = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
try:
    allow_open_files(workers)
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
except ConfigError as error:
    print(error)
"""


def limited(*numbers):
    words = [sys.executable, "-c", LIMITED, *map(str, numbers)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("soft", "hard", "workers", "after"),
    [(64, 64, 0, 64), (64, 1000, 2, 192), (256, 1000, 2, 256), (192, 192, 2, 192)],
)
def test_the_limit_is_raised_where_it_may_be(soft, hard, workers, after):
    assert limited(soft, hard, workers) == f"{after}\n"


def test_too_few_are_said_before_the_run_would_hang():
    said = limited(64, 200, 4)
    assert (
        "BehaviorDataModule.num_workers: 4 processes need 320 open files, and this system allows 200"
        in said
    )
    assert "set BehaviorDataModule.num_workers to 2" in said
    assert limited(64, 200, 2) == "192\n", "what is advised works"


def test_a_system_without_limits(monkeypatch):
    monkeypatch.setattr("lit_rec.files.open_files.resource", None)
    allow_open_files(1000)
