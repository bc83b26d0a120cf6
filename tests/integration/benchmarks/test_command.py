"""tools/benchmark: what it is told, what it shows and what it writes."""

import errno
import json
import runpy
import subprocess
from pathlib import Path
from unittest import mock

import pytest

from lit_rec.errors import ConfigError
from tools.benchmarks import command
from tools.benchmarks.speed import train

pytestmark = pytest.mark.filterwarnings("default")

ROWS = [
    {
        "name": name,
        "metric": metric,
        "value": value,
        "low": value / 2,
        "high": 2 * value,
        "seeds": 1,
        "seconds": 3.5,
    }
    for name, metric, value in (("lit_rec", "interactions/s", 600.0), ("ratio", "ratio", 40.0))
]


@pytest.fixture
def measured(monkeypatch):
    """Give the command a made-up measure; return what that is called with."""
    asked = []

    def measure(data, *, quick):
        asked.append((data, quick))
        return ROWS

    monkeypatch.setattr(train, "measure", measure)
    return asked


def refused(capsys, *words):
    """Run the script itself; exit code 2 and a few lines: return them."""
    with (
        mock.patch("sys.argv", ["tools/benchmark", *map(str, words)]),
        pytest.raises(SystemExit) as stop,
    ):
        runpy.run_path(command.__file__, run_name="__main__")
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert 0 < len(err.splitlines()) <= 4, err
    return err


@pytest.mark.parametrize("words", [("speed", "trian"), ("sped", "train"), ("train", "speed")])
def test_there_is_no_such_benchmark(words, archive, capsys):
    text = refused(capsys, *words, "--data", archive)
    assert f"'{' '.join(words)}'" in text
    speed = "speed: one of train, tuning, plain, reach, serve, evaluate, index, encoders; scale: one of rows"
    assert speed in text
    assert "quality: one of scientific, " in text


@pytest.mark.parametrize("words", [(), ("speed",), ("speed", "train", "--slow")])
def test_words_that_are_missing_or_unknown(words, capsys):
    assert "tools/benchmark" in refused(capsys, *words)


def test_data_that_is_not_there(tmp_path, capsys):
    text = refused(capsys, "speed", "train", "--data", tmp_path / "nowhere")
    assert f"'{tmp_path}/nowhere' holds no ml-100k/u1.base" in text
    # by default it lies beside the project, and the working folder is another one here
    assert "--data FOLDER" in refused(capsys, "speed", "train")


def test_a_command_that_fails_has_said_why(archive, monkeypatch, capsys):
    def measure(data, *, quick):
        raise subprocess.CalledProcessError(2, ["lit-rec", "fit"])

    monkeypatch.setattr(train, "measure", measure)
    text = refused(capsys, "speed", "train", "--data", archive)
    assert "exit code 2" in text


def test_rows_are_shown_and_written(measured, archive, tmp_path, capsys):
    path = tmp_path / "new/rows.json"
    command.main(["speed", "train", "--quick", "--data", str(archive), "--json", str(path)])
    command.main(["speed", "train", "--data", str(archive)])
    assert measured == [(archive, True), (archive, False)]
    rows = json.loads(path.read_text())
    assert rows == ROWS
    assert [file.name for file in path.parent.iterdir()] == ["rows.json"]
    assert "40" in capsys.readouterr().out


@pytest.mark.usefixtures("measured")
def test_rows_are_written_whole_or_not_at_all(archive, tmp_path, monkeypatch, capsys):
    path = tmp_path / "rows.json"
    path.write_text("of an earlier run")
    write = Path.write_text

    def full(self, text, *more):
        write(self, text[:20], *more)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigError, match=r"rows\.json: .*No space left"):
        command.main(["speed", "train", "--data", str(archive), "--json", str(path)])
    assert path.read_text() == "of an earlier run"
    assert [file.name for file in tmp_path.glob("*rows*")] == ["rows.json"]
    assert "interactions/s" in capsys.readouterr().out, "what was measured is shown all the same"
