"""tools/benchmark: what it is told, what it measures on a made-up archive, and what it writes."""

import errno
import json
import runpy
from pathlib import Path
from unittest import mock

import pytest
import torch

from .conftest import ROOT

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
def measured(tools, monkeypatch):
    """The command with a made-up measure, and what the measure was called with."""
    benchmark, asked = tools("benchmark"), []

    def measure(data, *, quick):
        asked.append((data, quick))
        return ROWS

    monkeypatch.setattr(tools("speed_train"), "measure", measure)
    return benchmark, asked


def refused(capsys, *words):
    """Run the script itself; exit code 2 and a few lines: return them."""
    with (
        mock.patch("sys.argv", ["tools/benchmark", *map(str, words)]),
        pytest.raises(SystemExit) as stop,
    ):
        runpy.run_path(str(ROOT / "tools/benchmark.py"), run_name="__main__")
    assert stop.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert 0 < len(err.splitlines()) <= 4, err
    return err


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("words", [("speed", "trian"), ("sped", "train"), ("train", "speed")])
def test_there_is_no_such_benchmark(words, archive, capsys):
    text = refused(capsys, *words, "--data", archive)
    assert f"'{' '.join(words)}'" in text
    assert "speed train, speed evaluate, speed index, scale rows, scale memory" in text


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("words", [(), ("speed",), ("speed", "train", "--slow")])
def test_words_that_are_missing_or_unknown(words, capsys):
    assert "tools/benchmark" in refused(capsys, *words)


@pytest.mark.usefixtures("tools")
def test_data_that_is_not_there(tmp_path, capsys):
    text = refused(capsys, "speed", "train", "--data", tmp_path / "nowhere")
    assert f"'{tmp_path}/nowhere' holds no ml-100k/u1.base" in text
    # by default it lies beside the project, and the working folder is another one here
    assert "--data FOLDER" in refused(capsys, "speed", "train")


def test_rows_are_shown_and_written(measured, archive, tmp_path, capsys):
    benchmark, asked = measured
    path = tmp_path / "new/rows.json"
    benchmark.main(["speed", "train", "--quick", "--data", str(archive), "--json", str(path)])
    benchmark.main(["speed", "train", "--data", str(archive)])
    assert asked == [(archive, True), (archive, False)]
    rows = json.loads(path.read_text())
    assert rows == ROWS
    assert [file.name for file in path.parent.iterdir()] == ["rows.json"]
    assert "40" in capsys.readouterr().out


def test_rows_are_written_whole_or_not_at_all(measured, archive, tmp_path, monkeypatch, capsys):
    benchmark, _ = measured
    path = tmp_path / "rows.json"
    path.write_text("of an earlier run")
    write = Path.write_text

    def full(self, text, *more):
        write(self, text[:20], *more)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(benchmark.ConfigError, match=r"rows\.json: .*No space left"):
        benchmark.main(["speed", "train", "--data", str(archive), "--json", str(path)])
    assert path.read_text() == "of an earlier run"
    assert [file.name for file in tmp_path.glob("*rows*")] == ["rows.json"]
    assert "interactions/s" in capsys.readouterr().out, "what was measured is shown all the same"


@pytest.mark.parametrize(("quick", "turns"), [(True, 3), (False, 10)])
def test_both_sides_are_timed_in_turns(tools, tmp_path, monkeypatch, quick, turns):
    speed_train, called = tools("speed_train"), []
    monkeypatch.setattr(speed_train, "_configured", lambda data: (data, None))
    monkeypatch.setattr(speed_train, "_our_steps", lambda data, module: lambda: 4096)
    monkeypatch.setattr(speed_train, "_plain_steps", lambda data: lambda: 16)

    def rate(step, steps):
        """Ours takes 1, 2, 3, ... times as long as at first; the other side does not change."""
        called.append(step())
        return 600.0 / called.count(4096) if step() == 4096 else 20.0

    monkeypatch.setattr(speed_train, "_rate", rate)
    rows = speed_train.measure(tmp_path, quick=quick)
    assert called == [4096, 16] * turns
    assert all(list(row) == list(ROWS[0]) for row in rows)
    json.dumps(rows)
    found = {row["name"]: (row["value"], row["low"], row["high"]) for row in rows}
    middle = {3: 300.0, 10: (600 / 5 + 600 / 6) / 2}[turns]
    assert found == {
        "lit_rec": pytest.approx((middle, 600 / turns, 600)),
        "plain loop": (20, 20, 20),
        "lit_rec / plain loop": pytest.approx((middle / 20, 30 / turns, 30)),
    }


def test_steps_of_both_sides_train(tools, archive, workplace, tmp_path, monkeypatch):
    """The configuration of the benchmark, on a made-up archive and a tiny encoder."""
    speed_train = tools("speed_train")
    monkeypatch.setattr(speed_train, "_CONFIG", ROOT / "configs/movielens_u1.yaml")
    (tmp_path / "checkpoints").symlink_to(workplace / "checkpoints")
    data, module = speed_train._configured(archive)
    groups = {group["name"]: group for group in module.new_optimizer().param_groups}
    assert groups["encoder"]["lr"] == module.hparams["encoder_rate"]
    assert groups["head"]["weight_decay"] == module.hparams["head_decay"]
    weights = module.built().backbone.model.embeddings.word_embeddings.weight
    before = weights.detach().clone()
    assert speed_train._our_steps(data, module)() == 171, "u1.base, but for a twentieth"
    assert not torch.equal(weights, before)
    assert speed_train._plain_steps(data)() == 16
