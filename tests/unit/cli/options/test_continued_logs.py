import pytest
from jsonargparse import Namespace

from lit_rec.cli.options.continued_logs import continue_logs


def logger(**options):
    return Namespace(class_path="a.Logger", init_args=Namespace(**options))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs/name/version_2"
    folder.mkdir(parents=True)
    return folder


def test_loggers_of_the_experiment_go_on(folder):
    mine = logger(save_dir="runs", name="name", version=None)
    others = [
        logger(save_dir="runs", name="other", version=None),
        logger(save_dir="runs", name="name", version="mine"),
        logger(save_dir="runs", project="name"),
        Namespace(class_path="a.Logger"),
    ]
    assert continue_logs([mine, *others], folder) == [mine.init_args]
    assert mine.init_args.version == "version_2"
    assert [o.init_args.version for o in others[:2]] == [None, "mine"]


@pytest.mark.parametrize("loggers", [None, True, False, []])
def test_nothing_to_continue(loggers, folder):
    (folder / "metrics.csv").touch()
    assert continue_logs(loggers, folder) == []
    assert (folder / "metrics.csv").is_file()


def test_metrics_are_kept_each_time(folder):
    for text in ("first", "second"):
        (folder / "metrics.csv").write_text(text)
        continue_logs(logger(save_dir="runs", name="name", version=None), folder)
    kept = [(folder / f"metrics.{number}.csv").read_text() for number in (0, 1)]
    assert kept == ["first", "second"]
