"""Files of loggers: in a folder of the run's own, and whole or not there."""

import csv
import warnings
from pathlib import Path

import pytest
import yaml
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger

from lit_rec.training import run_logs
from lit_rec.training.run_logs import make_own
from lit_rec.training.version_folders import VersionFolders


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Lightning says that another logger's files are there
    warnings.filterwarnings("ignore", message=".*exists and is not empty.*")


def own(*loggers):
    make_own(loggers, VersionFolders())
    return loggers


def both():
    return own(TensorBoardLogger("runs", "name"), CSVLogger("runs", "name"))


def test_loggers_of_a_run_share_a_folder_that_no_other_run_gets():
    first, second = both(), both()
    assert not Path("runs").exists(), "nothing is made before it is asked for"
    folders = [{logger.log_dir for logger in run} for run in (first, second)]
    assert folders == [{"runs/name/version_0"}, {"runs/name/version_1"}]
    assert Path("runs/name/version_1").is_dir()


def test_a_named_version_is_taken():
    (logger,) = own(CSVLogger("runs", "name", version="mine"))
    assert logger.log_dir == "runs/name/mine"
    assert not Path("runs").exists()


def test_only_the_first_process_makes_a_folder(monkeypatch):
    monkeypatch.setattr(run_logs.rank_zero_only, "rank", 1)
    assert [logger.version for logger in both()] == [0, 0]
    assert not Path("runs").exists()


def test_other_loggers_stay_as_they_are():
    class Derived(CSVLogger):
        pass

    others = DummyLogger(), Derived("runs"), CSVLogger("memory://runs")
    kinds = list(map(type, others))
    assert list(map(type, own(*others))) == kinds


def stopped(monkeypatch):
    """Stop where a file is put in place, as a kill would."""

    class KilledError(BaseException):
        pass

    def stop(work, path):
        raise KilledError

    monkeypatch.setattr(Path, "replace", stop)
    return KilledError


@pytest.mark.parametrize("kind", [TensorBoardLogger, CSVLogger])
def test_options_are_whole_or_not_there(kind, monkeypatch):
    (logger,) = own(kind("runs", "name"))
    path = Path(logger.log_dir, "hparams.yaml")

    def log():
        logger.log_hyperparams({"rate": 0.5})
        logger.save()

    with monkeypatch.context() as patch, pytest.raises(stopped(patch)):
        log()
    assert not path.exists()
    logger.log_hyperparams({"rate": 0.5})
    logger.save()
    assert yaml.safe_load(path.read_text()) == {"rate": 0.5}
    logger.finalize("success")


def test_empty_options_of_a_killed_run_are_written_by_the_one_that_goes_on():
    (logger,) = own(TensorBoardLogger("runs", "name"))
    path = Path(logger.log_dir, "hparams.yaml")
    path.touch()
    logger.log_hyperparams({"rate": 0.5})
    logger.save()
    assert yaml.safe_load(path.read_text()) == {"rate": 0.5}


def rows(logger):
    with Path(logger.log_dir, "metrics.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]


def test_metrics_are_those_of_lightnings_logger():
    (mine,) = own(CSVLogger("mine", "name", flush_logs_every_n_steps=1))
    theirs = CSVLogger("theirs", "name", flush_logs_every_n_steps=1)
    for logger in (mine, theirs):
        for step in range(5):
            logger.log_metrics({"loss": step / 3} | ({"val, x": 1.0} if step > 2 else {}), step)
        logger.finalize("success")
    assert Path(mine.log_dir, "metrics.csv").read_bytes() == (
        Path(theirs.log_dir, "metrics.csv").read_bytes()
    )
    assert len(rows(mine)) == 5


def test_a_new_column_loses_no_line(monkeypatch):
    (logger,) = own(CSVLogger("runs", "name"))
    logger.log_metrics({"a": 1.0}, 0)
    logger.save()
    logger.log_metrics({"b": 2.0}, 1)
    with monkeypatch.context() as patch, pytest.raises(stopped(patch)):
        logger.save()
    assert rows(logger) == [{"a": "1.0", "step": "0"}]


def test_lines_that_the_disk_does_not_take_whole_are_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"a\n")

    class Full:
        def __init__(self, file):
            self.file, self.calls = file, 0

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, data):
            self.calls += 1
            if self.calls > 1:
                raise OSError(28, "No space left on device")
            return self.file.write(data[:3])

    open_ = Path.open
    monkeypatch.setattr(Path, "open", lambda *words, **more: Full(open_(*words, **more)))
    with pytest.raises(OSError, match="No space left"):
        run_logs._append(path, b"12345\n")
    assert path.read_bytes() == b"a\n"
