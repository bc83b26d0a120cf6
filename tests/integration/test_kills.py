"""Runs that are killed, and runs that start together, in processes of their own."""

import signal

import pytest
import torch
import yaml

from tests.warm_processes import COMMAND, WarmProcess

from .conftest import lit_rec, options

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]

# kills itself in the middle of the n-th whole write of a fit; argv: n, words
KILLED = """
import os, signal, sys
from contextlib import contextmanager
from lit_rec.files import atomic, cache
left = int(sys.argv[1])
new_file = atomic._new_file
@contextmanager
def half_file(folder):
    global left
    with new_file(folder) as path:
        left -= 1
        if left < 0:
            path.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        yield path
atomic._new_file = half_file
build = cache._build
def half_build(folder, key, write):
    def part(work):
        global left
        left -= 1
        write(work)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    build(folder, key, part)
cache._build = half_build
from lit_rec.cli.main import main
main(sys.argv[2:])
"""


def fit(workplace, tmp_path):
    return [
        "fit",
        *options(workplace),
        f"--data.cache_folder={tmp_path}/cache",
        f"--trainer.logger.init_args.save_dir={tmp_path}/runs",
        "--trainer.max_epochs=1",
    ]


def test_kills_leave_whole_files_and_one_complete_run_removes_the_rest(workplace, tmp_path):
    """The writes of a fit: tables, tokens, config.yaml, hparams.yaml, best.ckpt, last.ckpt.

    What is cached is not written again.
    """
    words = fit(workplace, tmp_path)
    for number in (0, 1, 5):
        done = WarmProcess(KILLED, number, *words, folder=tmp_path).end()
        assert done.returncode == -signal.SIGKILL, done.stderr
        for path in tmp_path.rglob("*.yaml"):
            assert yaml.safe_load(path.read_text()), f"{path} is empty"
        for path in tmp_path.rglob("*.ckpt"):
            torch.load(path, weights_only=True)
    runs = sorted((tmp_path / "runs/own_data").iterdir())
    last = next(path for path in runs if (path / "best.ckpt").exists())
    lit_rec(*words, "--ckpt_path", last / "best.ckpt", "--trainer.max_epochs=2")
    assert [*last.rglob(".*"), *(tmp_path / "cache").rglob(".*")] == []
    assert sorted((tmp_path / "runs/own_data").iterdir()) == runs, "it went on in its own folder"


def test_fits_that_start_together_share_no_folder(workplace, tmp_path):
    words = fit(workplace, tmp_path)
    lit_rec(*words)  # all then find the cache, and ask for a folder at once
    together = [WarmProcess(COMMAND, *words, folder=tmp_path) for _ in range(3)]
    for process in together:
        done = process.end()
        assert done.returncode == 0, done.stderr
    folders = sorted((tmp_path / "runs/own_data").iterdir())
    assert [path.name for path in folders] == [f"version_{n}" for n in range(4)]
    for folder in folders:
        assert len(list(folder.glob("events.out*"))) == 1
        assert (folder / "best.ckpt").exists()
