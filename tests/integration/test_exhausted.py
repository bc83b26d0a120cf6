"""Where a system gives no more files, memory or room: a sentence, no hang, and nothing half written."""

import errno
import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from lit_rec.cli import main as cli
from lit_rec.errors import ConfigError, DataError
from lit_rec.files import atomic, cache
from tests.warm_processes import COMMAND, run_warm

from .conftest import ROOT, lit_rec, message, options

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def _closed():
    """What could not be flushed is closed when its error is forgotten: here, and not within another test."""
    yield
    gc.collect()


def limited(limits, *words):
    """Run the command line in a process of its own under ``ulimit``."""
    run = "import sys; from lit_rec.cli.main import main; main(sys.argv[1:])"
    command = f"ulimit {limits} && exec {sys.executable} -c '{run}' \"$@\""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-c", command, "bash", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=env,
    )


@pytest.mark.parametrize("addresses", [300_000, 1_500_000])
def test_little_address_space(addresses, workplace):
    ended = limited(f"-v {addresses}", "fit", *options(workplace))
    assert ended.returncode == 2, ended.stderr
    assert f"(ulimit -v {addresses})" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_what_is_advised_is_enough(workplace, tmp_path):
    words = [*options(workplace), "--trainer.max_epochs=1", "--data.num_workers=2"]
    logs = f"--trainer.logger.init_args.save_dir={tmp_path}"
    ended = run_warm(COMMAND, "fit", *words, logs, folder=tmp_path, open_files=64)
    assert ended.returncode == 2, ended.stderr
    assert "2 processes need 192 open files, and this system allows 64" in ended.stderr
    ended = limited("-v 4000000 -n 192", "fit", *words, logs)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "there is not enough memory (MemoryError)"),
        (ImportError("libtorch.so: failed to map segment from shared object"), "not enough memory"),
        (RuntimeError("can't start new thread"), "not enough memory (can't start new thread)"),
        (RuntimeError("std::bad_alloc"), "not enough memory (std::bad_alloc)"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "Cannot allocate memory"),
        (OSError(errno.EMFILE, "Too many open files", "a"), "no more files can be opened"),
        (OSError(errno.EFBIG, "File too large", "a"), "a: cannot be written (File too large)"),
    ],
)
def test_what_a_system_refuses_is_said_also_beneath_other_errors(error, said):
    assert said in cli.message_of(error)
    wrapped = DataError("no encoder can be read")
    wrapped.__cause__ = error
    if not isinstance(error, OSError) or error.errno != errno.EFBIG:
        assert said in cli.message_of(wrapped)


def test_other_errors_are_not_taken_for_it():
    assert cli.message_of(RuntimeError("a bug")) is None
    assert cli.message_of(DataError("holds 'std::bad_alloc'")) == "holds 'std::bad_alloc'."
    out = ConfigError("out of memory while training (can't allocate memory)")
    out.__cause__ = RuntimeError("can't allocate memory")
    assert cli.message_of(out) == str(out)


def test_a_thread_without_room_prints_no_traceback(capsys):
    def printed(error):
        cli._of_a_thread(threading.ExceptHookArgs((type(error), error, None, None)))
        return capsys.readouterr().err

    assert printed(OSError(errno.ENOSPC, "No space left on device")) == ""
    assert "a bug" in printed(ValueError("a bug"))


@contextmanager
def small_files(size):
    """Let no file of this process be larger: as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def no_room_for(monkeypatch):
    """Have files that are written whole end at some bytes, and what builds a cache."""

    def limit(module, name, size):
        within = getattr(module, name)

        @contextmanager
        def limited_file(*words):
            with within(*words) as path, small_files(size):
                yield path

        monkeypatch.setattr(module, name, limited_file)

    return limit


@pytest.fixture
def own_run(run_folder, workplace, tmp_path):
    """A copy of the fitted run whose evaluation finds what it needs in the cache."""
    shutil.copytree(run_folder, tmp_path / "run")
    return tmp_path / "run"


def test_results_that_have_no_room(own_run, capsys, no_room_for):
    ckpt = ["--ckpt_path", own_run / "best.ckpt"]
    lit_rec("test", *ckpt)  # fills the cache
    (own_run / "report.json").unlink()
    before = sorted(own_run.rglob("*"))
    no_room_for(atomic, "_new_file", 100)
    for words, path in (
        (["test"], "report.json"),
        (["predict", "--data.predict_part=all"], "predictions.parquet"),
        (["predict", "--k", "30"], "00000000.parquet"),
    ):
        text = message(capsys, *words, *ckpt)
        assert f"{path}: cannot be written (File too large)" in text
        left = [p for p in sorted(own_run.rglob("*")) if p not in before]
        assert [p.name for p in left if p.is_file()] == []


def test_a_cache_that_has_no_room(workplace, tmp_path, capsys, monkeypatch):
    build = cache._build

    def limited_build(*words):
        with small_files(1_000):
            build(*words)

    monkeypatch.setattr(cache, "_build", limited_build)
    folder = tmp_path / "cache"
    logs = f"--trainer.logger.init_args.save_dir={tmp_path}/runs"
    text = message(capsys, "fit", *options(workplace), logs, f"--data.cache_folder={folder}")
    assert text.startswith(f"lit_rec: data.cache_folder: {folder} cannot be written (")
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "runs").exists(), "no folder of a run that has not begun"


def test_a_checkpoint_that_has_no_room(workplace, tmp_path, capsys, no_room_for):
    no_room_for(atomic, "_new_file", 50_000)
    logs = f"--trainer.logger.init_args.save_dir={tmp_path}/runs"
    text = message(capsys, "fit", *options(workplace), logs)
    assert "best.ckpt: cannot be written (File too large)" in text
    (run,) = (tmp_path / "runs/own_data").iterdir()
    assert not [p for p in run.iterdir() if p.suffix in (".ckpt", ".part")]
    assert (run / "config.yaml").stat().st_size


def test_a_temporary_folder_that_has_no_room():
    error = RuntimeError("File too large (os error 27)")  # as the tokenizers say it
    assert "a file of this run: cannot be written (File too large)" in cli.message_of(error)


def test_after_that_all_goes_well(workplace, own_run):
    lit_rec("predict", "--ckpt_path", own_run / "best.ckpt", "--k", 3)
    assert pl.read_parquet(own_run / "recommendations.parquet")["rank"].max() == 3
    assert not list(Path(own_run).glob(".*"))
