"""lit-rec tune on made-up tables: real trials, each in a process of its own."""

import csv
import multiprocessing.forkserver
import time
from pathlib import Path

import psutil
import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

pytest.importorskip("optuna")

from lit_rec.cli.search.trial import fit_trial
from tests.warm_processes import WarmProcess

from .conftest import lit_rec
from .own_runs import checkpoint, configuration, logged, part, write

pytestmark = pytest.mark.filterwarnings("default")

# what a trial may come to, by files of the working folder
PARTS = """
import os, time
from pathlib import Path
from lightning.pytorch.callbacks import Callback

class Accident(Callback):
    def on_train_start(self, trainer, pl_module):
        if pl_module.hparams.head_rate != 0.01 and Path("dies").exists():
            Path("dies").unlink()
            os.kill(os.getpid(), 9)
        if Path("hangs").exists():
            Path("pid").write_text(str(os.getpid()))
            time.sleep(60)
"""
SPACE = "model.head_rate: {low: 1.0e-3, high: 0.1, log: true}\n"


@pytest.fixture
def words(workplace, tmp_path):
    """Words of a search of three trials of an epoch, in the working folder of this test."""
    multiprocessing.forkserver.ensure_running()  # with what other tests need, not only this
    (tmp_path / "accidents.py").write_text(PARTS)
    (tmp_path / "space.yaml").write_text(SPACE)
    accident = part("accidents.Accident")
    config = configuration(workplace, callbacks=[accident], max_epochs=1)
    write(config, tmp_path / "config.yaml")
    return ["tune", "-c", "config.yaml", "--space", "space.yaml", "--output", "out"]


def table():
    return [*csv.DictReader(Path("out/trials.csv").read_text().splitlines())]


def hparams_of(folder):
    """The searched options of a trial in the HPARAMS tab, and its metrics with their curves' last values."""
    events = EventAccumulator(str(folder), {"scalars": 0}).Reload()
    found = events.summary_metadata
    start = HParamsPluginData.FromString(
        found["_hparams_/session_start_info"].plugin_data.content
    ).session_start_info
    experiment = HParamsPluginData.FromString(
        found["_hparams_/experiment"].plugin_data.content
    ).experiment
    options = {name: value.number_value for name, value in start.hparams.items()}
    names = [info.name.tag for info in experiment.metric_infos]
    return options, {name: events.Scalars(name)[-1].value for name in names}


def test_a_search(words, tmp_path, capsys):
    """A trial that is killed counts for nothing; the best can be trained again."""
    Path("dies").touch()
    lit_rec(*words, "--trials", 2)
    rows = table()
    assert [row["state"] for row in rows] == ["complete", "fail", "complete"]
    assert rows[0]["model.head_rate"] == "0.01"  # the configuration's
    assert rows[1]["reason"] == "its process was killed by signal 9 (out of memory?)"
    shown = capsys.readouterr().out
    assert "trial 0  val/rmse" in shown
    assert "lit-rec fit -c out/best.yaml" in shown

    values = {row["trial"]: float(row["val/rmse"]) for row in rows if row["state"] == "complete"}
    best = min(values, key=values.get)
    assert [path.parent.name for path in Path("out").rglob("best.ckpt")] == [f"version_{best}"]
    for number, value in values.items():
        folder = Path(f"out/version_{number}")
        rate = float(rows[int(number)]["model.head_rate"])
        found, metrics = hparams_of(folder)
        assert found == {"model.head_rate": rate}
        assert metrics == {"best/val/rmse": pytest.approx(value)}
        assert yaml.safe_load((folder / "config.yaml").read_text())["model"]["head_rate"] == rate
    assert not [*Path("out").rglob("report.json")]  # test rows were not read

    lit_rec("fit", "-c", "out/best.yaml")
    again = tmp_path / "runs/run/version_0"  # where the user's configuration says
    assert logged(again)["val/rmse", 9] == pytest.approx(values[best], abs=1e-6)
    assert checkpoint(again)["global_step"] == 10


TUNE = """
import sys
from lit_rec.cli.main import main
from lit_rec.search import trial_process
trial_process.METHOD = "fork"  # this process has imported all
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_search_that_is_killed_goes_on(words, tmp_path):
    """The trial ends with the search, and is tried again."""
    Path("hangs").touch()
    words = ["tune", "-c", "config.yaml", "--output", "out"]  # the default space
    started = WarmProcess(TUNE, *words, "--trials", 1, folder=tmp_path)
    while not (Path("pid").exists() and Path("pid").read_text()):
        time.sleep(0.05)
        assert started._process.is_alive()
    trial = psutil.Process(int(Path("pid").read_text()))
    started._process.kill()
    started.end()
    trial.wait(20)
    Path("hangs").unlink()
    lit_rec(*words, "--trials", 1)
    assert [row["state"] for row in table()] == ["fail", "complete"]
    assert [row["model.head_rate"] for row in table()] == ["0.01", "0.01"]


RANK = """
import os, sys
from pathlib import Path
from lit_rec.cli.search.trial import fit_trial

def on_validation(value):
    assert os.environ["LOCAL_RANK"] == "0"
    with Path("on_validation").open("a") as file:
        file.write(f"{value.step} ")
    return value.step == 2

fit_trial(Path("out/version_0"), sys.argv[1:], on_validation)
"""


@pytest.mark.slow
def test_all_processes_of_a_trial_are_pruned(words, workplace, tmp_path):
    """The first process is on_validation, at the second of three validations; the others end with it."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cluster = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    fit = ["-c", "config.yaml", "--trainer.devices=2", "--trainer.strategy=ddp"]
    fit += ["--trainer.max_epochs=3", "--trainer.limit_train_batches=1"]
    started = [
        WarmProcess(
            *(RANK, *fit),
            folder=tmp_path,
            env={**cluster, "NODE_RANK": "0", "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    ended = [process.end() for process in started]
    assert [done.returncode for done in ended] == [0, 0], ended[0].stderr + ended[1].stderr
    assert (tmp_path / "on_validation").read_text() == "1 2 "
    assert checkpoint(tmp_path / "out/version_0")["epoch"] == 0  # that of the second was not saved


def test_a_trial_is_not_pruned_at_its_end(words, tmp_path):
    """Nothing would be saved by it."""
    seen = []

    def on_validation(value):
        seen.append((value.step, value.monitor, value.mode))
        return value.step == 2

    fit = ["-c", "config.yaml", "--trainer.max_epochs=2", "--trainer.limit_train_batches=1"]
    fit_trial(tmp_path / "out/version_0", fit, on_validation)
    assert seen == [(1, "val/rmse", "min"), (2, "val/rmse", "min")]
    assert checkpoint(tmp_path / "out/version_0")["epoch"] == 1
